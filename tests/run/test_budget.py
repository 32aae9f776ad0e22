"""A command that may work for so many hours stops between stages, and goes on another time."""

from __future__ import annotations

import pytest

from harness.errors import BudgetSpent
from harness.run import run
from harness.run.budget import Budget


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_run_stops_between_stages_and_the_same_command_goes_on(project, monkeypatch):
    given, hours = ("iterate", "--rounds", "1", "--json"), ("--set", "execution.budget.hours=2")
    trained = project.folder / "seen.jsonl"

    def clock() -> float:
        return 7212.0 if trained.exists() and b'"trainer"' in trained.read_bytes() else 0.0

    monkeypatch.setattr(run, "Budget", lambda hours: Budget(hours, clock))
    stopped = project.inside(*given, *hours, FAKE_SPY=str(trained))
    assert stopped.code == 130
    assert stopped.out == ""
    told = " ".join(stopped.err.split())
    assert "the budget of 2 h (execution.budget.hours) is spent after 2 h 0 min, before " in told
    assert "finished work is saved. To resume:" in told
    assert "--json --set execution.budget.hours=2" in told
    made = project.manifests()
    assert made
    resumed = project.inside(*given)
    assert resumed.code == 0, resumed.err
    assert {name: project.manifests()[name] for name in made} == made
    assert resumed.document["cached"] != []


def test_without_hours_nothing_is_ever_spent():
    clock = Clock()
    budget = Budget(None, clock)
    clock.now += 1e9
    budget.check("train", "round 1: train")


def test_a_stage_that_is_expected_to_take_longer_than_is_left_is_not_begun():
    clock = Clock()
    budget = Budget(1.0, clock)
    budget.expect("train", 1500.0)
    clock.now += 2000.0
    budget.check("train", "round 2: train")
    clock.now += 200.0
    budget.check("generate", "round 2: generate")
    with pytest.raises(BudgetSpent) as caught:
        budget.check("train", "round 2: train")
    assert str(caught.value) == (
        "the budget of 1 h (execution.budget.hours) has 23 min left, and round 2: train is "
        "expected to take 25 min"
    )


def test_what_is_spent_is_said_as_time():
    clock = Clock()
    budget = Budget(2.0, clock)
    clock.now += 7212.0
    with pytest.raises(BudgetSpent, match="is spent after 2 h 0 min, before round 1: train"):
        budget.check("train", "round 1: train")
