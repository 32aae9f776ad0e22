"""Where the best round's model lies and what uses it: the same in every report."""

from __future__ import annotations

import html
import io
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from tests.plugins.reports.faces import (
    comment,
    markdown as markdown_page,
    page as html_page,
    render,
    render_first,
)

Document = dict[str, Any]
FOLDER = ".harness/artifacts/train/4f0c1b9d2e7a"
COMMANDS = ("harness try docstrings-3f2a91c4", "harness export docstrings-3f2a91c4 -o model")


def _printed(show: Callable[[Document, Console], Any]) -> Callable[[Document], str]:
    def shown(document: Document) -> str:
        page = io.StringIO()
        show(document, Console(file=page, width=80, color_system=None))
        return page.getvalue()

    return shown


def _unmarked(text: str) -> str:
    return text.replace("\\", "")


FACES: dict[str, Callable[[Document], str]] = {
    "first screen": _printed(render_first),
    "terminal": _printed(render),
    "markdown": lambda document: _unmarked(markdown_page(document)),
    "comment": lambda document: _unmarked(comment(document)),
    "page": lambda document: html.unescape(re.sub(r"<[^>]+>", "", html_page(document))),
}


def told(face: str, document: Document) -> str:
    return " ".join(FACES[face](document).replace("*", "").split())


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", FACES)
def test_every_report_says_where_the_model_lies_and_what_uses_it(
    face: str, analysis: Document
) -> None:
    text, base = told(face, analysis), ", trained from SmolLM2-135M-Instruct"
    assert f"{FOLDER} (round 1{'' if face == 'first screen' else base})" in text
    assert all(command in text for command in COMMANDS)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", FACES)
def test_a_model_whose_files_are_gone_is_not_offered(face: str, analysis: Document) -> None:
    analysis["model_lost"] = True
    text = told(face, analysis)
    assert "files of it are gone; harness iterate with the run's config trains it again" in text
    assert not any(command in text for command in COMMANDS)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", FACES)
def test_where_the_base_model_is_the_best_nothing_lies_anywhere(
    face: str, analysis: Document
) -> None:
    analysis["model"] |= {"adapter": None, "round": 0}
    text = told(face, analysis)
    assert "the base model SmolLM2-135M-Instruct, on which no round improved" in text
    assert not any(command in text for command in COMMANDS)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", FACES)
def test_a_model_without_files_is_used_all_the_same(face: str, analysis: Document) -> None:
    analysis["model"] |= {"adapter": None, "commands": ["harness try docstrings-3f2a91c4"]}
    text = told(face, analysis)
    assert "round 1, trained from SmolLM2-135M-Instruct, left no files here" in text
    assert COMMANDS[0] in text


def test_a_comment_has_commands_whole(analysis: Document) -> None:
    command = f"harness export run-{'x' * 500} -o model"
    analysis["model"] |= {"base": "base " * 200, "commands": [COMMANDS[0], command]}
    assert f"; {COMMANDS[0]}; {command}\n" in FACES["comment"](analysis)


@pytest.mark.nightly
def test_a_report_of_a_deleted_model_says_so(short: Any, tmp_path: Any) -> None:
    project, done = short
    run, model = done.document["run"], done.document["model"]
    assert model["round"] == 1
    shown = project.inside("report", run, COLUMNS="80")
    assert model["adapter"] in shown.out and "gone" not in shown.out
    next((project.folder / model["adapter"]).glob("skill.json")).unlink()
    for again in (project.inside("report", run), project.inside("report", run, "--full")):
        assert "files of it are gone" in " ".join(again.out.split()), again.err
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "train")
    page = tmp_path / "page.html"
    assert project.inside("report", run, "--html", str(page)).code == 0
    assert "files of it are gone" in page.read_text()
