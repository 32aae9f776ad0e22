"""``harness advise`` on a run, and the same in its reports."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import CONFIG, Project


def test_the_command_and_the_report_say_the_same(project: Project) -> None:
    project.write(CONFIG.replace("rounds: 3", "rounds: 1") + "curve: true\n")
    assert project.inside("iterate", "--no-test").code == 0
    shown = project.inside("advise")
    assert shown.code == 0, shown.err
    assert "rows: add rows like those of train" in shown.out
    assert "--set 'baselines=[prompted, few-shot]'" in shown.out
    full = project.inside("report", "--full").out
    assert "What to do next" in full
    assert full.index("What to do next") > full.index("What else was tried")
    document = project.inside("advise", "--json").document
    assert document["schema"] == "harness.advice/1"
    assert document["options"][0]["lever"] == "rows"


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ('{"x', "this is not JSON", 4),
        ("[1]", "schema None is not known", 4),
        ('{"schema": "harness.analysis/9"}', "schema 'harness.analysis/9' is not known", 4),
        (None, "there is no analysis here yet", 2),
    ],
)
def test_an_analysis_that_cannot_be_read_is_an_error(
    finished: tuple[Project, Any], tmp_path: Path, text: str | None, told: str, code: int
) -> None:
    shutil.copytree(finished[0].folder, tmp_path / "copy")
    project = Project(tmp_path / "copy")
    [path] = project.folder.glob("reports/*/analysis.json")
    path.write_text(text or "", encoding="utf-8")
    if text is None:
        path.unlink()
        shutil.rmtree(project.folder / ".harness" / "artifacts")
    done = project.inside("advise")
    assert (done.code, told in done.err) == (code, True), done.err


def test_a_folder_without_runs_says_what_to_do(project: Project) -> None:
    done = project.inside("advise")
    assert done.code == 2
    assert "harness iterate" in done.err
