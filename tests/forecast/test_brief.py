"""``harness iterate`` begins with what it will do, and with what is known of its time."""

from __future__ import annotations

from typing import Any


def told(result: Any) -> str:
    """The line of the plan on standard error."""
    assert result.code == 0, result.err
    [line] = [line for line in result.err.splitlines() if line.startswith("plan: ")]
    return line


def test_the_exact_part_comes_first_and_no_time_is_guessed(project):
    assert told(project.inside("iterate", "--no-test")) == (
        "plan: 3 rounds of training, first on 35 rows, last on up to 55 rows, 48 answers to dev "
        "after each. How long it takes is not known yet; harness plan measures it."
    )


def test_a_probe_that_was_made_before_says_how_long(project):
    given = ("--rounds", "1", "--set", "train.seconds=0.2")
    assert project.inside("plan", *given).code == 0
    line = told(project.inside("iterate", *given))
    assert line.startswith("plan: 1 round of training, on 35 rows, 48 answers to dev after each. ")
    assert "Training and answers take about " in line
    assert line.endswith(" UTC.")
    assert ", as measured 20" in line


def test_a_run_that_goes_on_says_what_is_left_by_its_own_seconds(project):
    given = ("iterate", "--rounds", "2")
    assert project.inside(*given).code == 0
    again = project.inside(*given, "--reopen", "2")
    line = told(again)
    assert line.startswith("plan: 1 of 2 rounds of training, on up to 45 rows, ")
    assert line.endswith(", by earlier stages of this run.")


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
