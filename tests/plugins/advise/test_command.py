"""``harness advise`` on a run, and the same in its reports."""

from __future__ import annotations

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


def test_a_folder_without_runs_says_what_to_do(project: Project) -> None:
    done = project.inside("advise")
    assert done.code == 2
    assert "harness iterate" in done.err
