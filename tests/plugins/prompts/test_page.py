"""The page and the plugin in the docs say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.kit import yaml_file
from tests.support.project import CONFIG, Project

DOCS = Path(__file__).parents[3] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.nightly
def test_the_entries_of_the_page_are_taken(project: Project) -> None:
    snippet = next(text for text in blocks("what-next", "yaml") if "name: mine" in text)
    project.write(CONFIG + snippet)
    assert project.inside("check").code == 0
    shown = yaml_file.scalar(project.inside("config", "show").out)["baselines"]
    assert [entry.get("name", entry["plugin"]) for entry in shown] == [
        "prompted", "mine", "few-shot", "by-kind",
    ]  # fmt: skip
    done = project.inside("iterate", "--json", "--rounds", "1")
    assert [one["name"] for one in done.document["baselines"]] == [
        "prompted", "mine", "few-shot", "by-kind",
    ]  # fmt: skip


def test_the_plugin_of_the_docs_is_asked(project: Project) -> None:
    code = next(
        block
        for block in blocks("plugins/baseline", "python")
        if "Politely(harness.Baseline)" in block
    )
    project.write(code, "politely.py")
    project.write(CONFIG.replace("plugins: [", "plugins: [politely.py, "))
    done = project.inside("iterate", "--json", "--rounds", "1", "--set", "baselines=[politely]")
    assert done.code == 0, done.err
    (found,) = done.document["baselines"]
    assert (found["name"], found["what"]) == ("politely", "Says please before each prompt.")
