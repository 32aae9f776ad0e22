"""``harness iterate`` begins with what it will do, and with what is known of its time."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.support.project import CONFIG, FAKES


def told(result: Any) -> str:
    """The line of the plan on standard error."""
    assert result.code == 0, result.err
    [line] = [line for line in result.err.splitlines() if line.startswith("plan: ")]
    return line


def test_the_exact_part_comes_first_and_no_time_is_guessed(project):
    assert told(project.inside("iterate", "--no-test")) == (
        "plan: 3 rounds of training, first on 35 rows, last on up to 55 rows, 48 answers to dev "
        "after each. harness plan says beforehand how long that takes."
    )


@pytest.mark.nightly
def test_a_probe_that_was_made_before_says_how_long(project):
    given = ("--rounds", "1", "--set", "train.seconds=0.2")
    assert project.inside("plan", *given).code == 0
    line = told(project.inside("iterate", *given))
    assert line.startswith("plan: 1 round of training, on 35 rows, 48 answers to dev after each. ")
    assert "Training and answers take about " in line
    assert line.endswith(" UTC.")
    assert ", as measured 20" in line


@pytest.mark.nightly
def test_a_run_that_goes_on_says_what_is_left_by_its_own_seconds(project):
    given = ("iterate", "--rounds", "2")
    assert project.inside(*given).code == 0
    again = project.inside(*given, "--reopen", "2")
    line = told(again)
    assert line.startswith("plan: 1 of 2 rounds of training, on up to 45 rows, ")
    assert line.endswith(", by earlier stages of this run.")


@pytest.mark.nightly
def test_the_budget_knows_how_long_the_first_stage_takes(project):
    given = ("--rounds", "1", "--set", "train.seconds=1.5")
    assert project.inside("plan", *given).code == 0
    stopped = project.inside("iterate", *given, "--set", "execution.budget.hours=0.0004")
    assert stopped.code == 130
    assert "warning: the budget of 0.0004 h (execution.budget.hours) is less than" in stopped.err
    assert not list((project.folder / ".harness" / "artifacts").glob("train/*"))


def test_a_finished_run_answers_at_once_without_a_plan(short):
    project, _ = short
    assert "plan:" not in project.inside("iterate", "--rounds", "1").err


@pytest.mark.nightly
@pytest.mark.parametrize("rounds", ["1", "3"])
def test_where_only_test_is_left_no_training_is_planned(project, rounds):
    assert project.inside("iterate", "--rounds", rounds, "--no-test").code == 0
    line = told(project.inside("test"))
    assert line.startswith("plan: 96 answers to test. Answers take about ")
    assert line.endswith(", by earlier stages of this run.")


@pytest.mark.nightly
@pytest.mark.parametrize(("options", "hours"), [(("--no-test",), 2), ((), 4)])
def test_the_test_set_takes_time_only_where_it_is_opened(project, options, hours):
    assert project.inside("plan", "--rounds", "1").code == 0
    [path] = (project.folder / ".harness" / "probes").iterdir()
    rates = json.loads(path.read_text())
    for model in ("base", "tuned"):
        rates[model]["once"] = 3600.0
    path.write_text(json.dumps(rates))
    line = told(project.inside("iterate", "--rounds", "1", *options))
    assert f" about {hours} h 0 min, as measured " in line


@pytest.mark.nightly
def test_where_nothing_was_kept_nothing_is_left(project):
    given = ("iterate", "--rounds", "1", "--set", "train.gain=0")
    assert project.inside(*given).code == 0
    shutil.rmtree(project.folder / "reports")
    again = project.inside(*given)
    assert again.code == 0, again.err
    assert "plan:" not in again.err


SILENT = f"""
import runpy
import harness

FAKES = runpy.run_path({str(FAKES)!r})


class Silent(FAKES["FakeTrainer"]):
    name = "silent"

    def schedule(self, rows):
        raise KeyError("steps")


@harness.hookimpl
def register_trainers():
    return [Silent]
"""


@pytest.mark.nightly
def test_a_schedule_that_fails_costs_the_plan_and_not_the_run(project):
    project.write(SILENT, "silent.py")
    text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, silent.py]")
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: silent}"))
    done = project.inside("iterate", "--rounds", "1", "--no-test")
    assert done.code == 0, done.err
    [line] = [line for line in done.err.splitlines() if "is not known" in line]
    assert line.startswith("note: what the run will do is not known: trainer 'silent' from ")
    assert "schedule(): KeyError: " in line
