"""``harness advise`` on a run, and the same in its reports."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_forgetting import WORSE, reading
from tests.support.project import CONFIG, Project


def test_the_command_and_the_report_say_the_same(project: Project) -> None:
    project.write(CONFIG.replace("rounds: 3", "rounds: 1") + "curve: true\n")
    assert project.inside("iterate", "--no-test").code == 0
    shown = project.inside("advise")
    assert shown.code == 0, shown.err
    assert "rows: add rows like those of train" in shown.out
    assert "--set 'baselines=[prompted, few-shot]'" in shown.out
    assert "harness advise has the commands" not in shown.out
    full = project.inside("report", "--full").out
    assert "What to do next" in full
    assert full.index("What to do next") > full.index("What else was tried")
    document = project.inside("advise", "--json").document
    assert document["schema"] == "harness.advice/1"
    assert document["options"][0]["lever"] == "rows"


@pytest.mark.nightly
def test_the_command_for_what_was_lost_runs_and_asks_for_more_the_next_time(
    project: Project,
) -> None:
    reading(project)
    run = ("iterate", "--rounds", "1", "--no-test", *WORSE)
    assert project.inside(*run).code == 0
    for share in (0.2, 0.4):
        option = project.inside("advise", "--json").document["options"][0]
        assert option["lever"] == "replay"
        assert option["evidence"][0].startswith("round 1 predicts general text worse")
        words = shlex.split(option["command"])
        assert sum(word.startswith("replay=") for word in words) == 1
        done = project.inside(*words[1:], "--json")
        assert done.code == 0, done.err
        [_, entry] = done.document["rounds"]
        learned = entry["replayed"] / (entry["replayed"] + entry["train_rows"])
        assert learned == pytest.approx(share, abs=0.01)


@pytest.mark.nightly(but_each=2)
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
