"""The section on what was tried beside the rounds, in all reports."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness_reports import HtmlReporter, MarkdownReporter, TerminalReporter
from tests.plugins.reports.faces import drawn
from tests.support import nightly
from tests.support.project import CONFIG, Project

LEVERS = """
worth: 0.1
arms:
- {name: "<b>more</b> [red]", set: {train.gain: 0.01}}
- {name: nothing, set: {train.gain: 0.0}}
models: [{source: fake, skill: 0.5}]
curve: true
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    project = Project(tmp_path_factory.mktemp("levers"))
    seeds = "seeds: 5\n" if nightly.FULL else ""
    project.write(CONFIG.replace("rounds: 3", "rounds: 1") + LEVERS + seeds)
    assert project.inside("iterate", "--no-test").code == 0
    [run] = (project.folder / "reports").iterdir()
    found: dict[str, Any] = json.loads((run / "analysis.json").read_text())
    return found


def terminal(document: dict[str, Any], width: int = 100) -> str:
    out = io.StringIO()
    TerminalReporter().show(drawn(document), Console(file=out, width=width, color_system=None))
    return out.getvalue()


@pytest.mark.nightly
def test_the_terminal_says_what_is_better_and_what_more_rows_are_worth(
    document: dict[str, Any],
) -> None:
    shown = terminal(document)
    assert "What else was tried" in shown
    assert "Better than round 1: " in shown
    assert "<b>more</b> [red] by" in shown
    assert "which would matter, is excluded for nothing" in shown
    assert "Rows: More rows help: twice the rows" in shown


@pytest.mark.nightly
def test_narrow_terminals_show_the_gain(document: dict[str, Any]) -> None:
    assert all(len(line) <= 60 for line in terminal(document, 60).splitlines()[5:20])


@pytest.mark.parametrize("reporter", [HtmlReporter, MarkdownReporter])
def test_pages_have_every_part(
    document: dict[str, Any], tmp_path: Path, reporter: type[Any]
) -> None:
    [path, *_] = reporter().write(drawn(document), tmp_path)
    page = path.read_text()
    for part in ("What else was tried", "Base models", "How much data", "25 %"):
        assert part in page, part
    assert "<b>more</b>" not in page


def test_the_page_draws_gains_curve_and_models(document: dict[str, Any], tmp_path: Path) -> None:
    [path, *_] = HtmlReporter().write(drawn(document), tmp_path)
    page = path.read_text()
    for title in ("by arm", "by training rows", "by seconds of training"):
        assert f"{title}</figcaption>" in page or f"{title} and answering</figcaption>" in page


def test_a_report_without_levers_says_nothing_of_them(document: dict[str, Any]) -> None:
    bare = {key: value for key, value in document.items() if key not in ("arms", "experiments")}
    assert "What else was tried" not in terminal(bare)


@pytest.mark.parametrize("changed", [{"reference": ...}, {"new": 1}, {"curve": [1]}], ids=str)
def test_a_part_of_another_version_is_one_note(
    document: dict[str, Any], changed: dict[str, Any]
) -> None:
    part = document["experiments"]["levers"] | changed
    known = {key: value for key, value in part.items() if value is not ...}
    damaged = {**document, "experiments": {"levers": known}}
    shown = terminal(damaged)
    assert shown.count("what was tried beside the rounds cannot be read") == 1
    assert "run the same `harness iterate` again" in " ".join(shown.split())
    sections = {one.name: one for one in drawn(damaged).sections}
    assert [block["block"] for block in sections["levers"].blocks] == ["heading", "note"]
    assert sections["search"].blocks == sections["advise"].blocks == ()
    assert not {"levers", "search", "advise"} & set(drawn(damaged).failed)


def test_a_failed_arm_is_named(document: dict[str, Any]) -> None:
    failed = {**document["arms"][1], "verdict": None, "failed": "no memory [bold]left"}
    shown = terminal({**document, "arms": [failed, *document["arms"][2:]]})
    assert "failed: no memory [bold]left" in shown
