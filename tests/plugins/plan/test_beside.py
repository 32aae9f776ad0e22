"""What ``harness plan`` and the first line of a run say of trainings beside the rounds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.plugins.plan.conftest import TRAINER, planned
from tests.support.project import Project

FASTER = TRAINER.replace("CLOCK.sleep(0.02)", "CLOCK.sleep(0.004)")
R8 = "arms=[{name: r8, set: {train.gain: 0.01}}]"
SEARCH = "search={trials: 4, over: {train.gain: [0.001, 0.01, 0.02, 0.03]}}"


@pytest.fixture
def quick(timed: Project) -> Project:
    """The same in a fifth of the time."""
    (timed.folder / "timed.py").write_text(FASTER, encoding="utf-8")
    return timed


def sets(*given: str) -> list[str]:
    return [word for one in given for word in ("--set", one)]


def beside(project: Project, *given: str, rounds: str = "1") -> dict[str, dict[str, Any]]:
    """Name -> what is planned of it."""
    found = planned(project, "--no-probe", "--rounds", rounds, *sets(*given))
    return {arm["name"]: arm for arm in found["beside"]}


def counts(found: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int, int, bool, bool]]:
    return {
        name: (arm["trainings"], arm["loops"], arm["rows"], arm["exact"], arm["at_most"])
        for name, arm in found.items()
    }


def test_each_lever_is_counted_on_its_rows(quick):
    found = beside(quick, R8, "curve=true", "seeds=5", SEARCH)
    assert counts(found) == {
        # Parts of 40 rows, train and valid, by whole groups: 13, 13 and 14.
        "search trials": (12, 0, 27, False, True),
        "search": (5, 0, 35, False, True),
        "the same again": (4, 0, 35, True, False),
        "r8": (5, 0, 35, True, False),
        "25 % of train": (2, 0, 9, True, False),
        "50 % of train": (2, 0, 19, True, False),
    }
    # The first two on all rows are those of the round and of its repetition.
    assert not any(arm["unknown"] for arm in found.values())


def test_without_seeds_one_training_on_all_rows_is_another(quick):
    found = beside(quick, "curve=[0.5, 1]")
    assert {name: arm["trainings"] for name, arm in found.items()} == {
        "50 % of train": 2,
        "100 % of train": 1,
    }


def test_while_rounds_are_open_rows_are_upper_bounds(quick):
    found = beside(quick, R8, "curve=[0.5, 1]", rounds="3")
    assert counts(found) == {
        "r8": (1, 0, 55, False, False),
        "50 % of train": (2, 0, 29, False, False),
        "100 % of train": (1, 0, 55, False, False),
    }


@pytest.mark.nightly
def test_where_valid_is_large_a_trial_is_one_training_on_all_of_train(quick):
    rows = ("data.train=250", "data.groups=250", "valid=0.4")
    found = beside(quick, SEARCH, *rows)
    assert counts(found)["search trials"] == (4, 0, 150, False, True)


def test_a_loop_again_is_all_its_rounds_without_test(quick):
    given = ("seeds={count: 5, of: loop}", "augment=[{plugin: fake, rows: 10, control: random}]")
    found = beside(quick, *given, rounds="2")
    # Round 1 is that of both arms, round 2 is not.
    assert counts(found) == {"the loop again": (12, 4, 45, False, False)}


@pytest.mark.nightly
def test_folds_of_a_search_may_be_more_and_valid_may_be_missing(quick):
    found = beside(quick, SEARCH.replace("trials: 4", "trials: 4, folds: 4"), "valid=0")
    assert counts(found)["search trials"] == (16, 0, 30, False, True)


UNKNOWN = {
    "models=[{source: fake, skill: 0.5}]": {"fake": ["model"]},
    "arms=[{name: s, set: {train.steps: 9}}]": {"s": ["train.steps"]},
    "arms=[{name: o, set: {train: {plugin: fake}}}]": {"o": ["train.plugin"]},
    "search={trials: 2, over: {train.gain: [0.1, 0.2], train.steps: [4, 8]}}": {
        "search trials": ["train.steps"], "search": ["train.steps"],
    },
}  # fmt: skip


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("given", UNKNOWN)
def test_what_moves_the_time_of_a_row_is_counted_and_named(quick, given):
    found = planned(quick, "--no-probe", "--rounds", "1", *sets(given))
    assert {arm["name"]: arm["unknown"] for arm in found["beside"]} == UNKNOWN[given]
    assert all(arm["trainings"] and arm["seconds"] is None for arm in found["beside"])
    [told] = [r["text"] for r in found["remarks"] if "no time is known" in r["text"]]
    for name, keys in UNKNOWN[given].items():
        assert f"'{name}' ({keys[0]})" in told


def test_other_answers_alone_train_nothing(quick):
    given = "arms=[{name: warm, set: {generate.remark: other answers}}]"
    assert counts(beside(quick, given))["warm"] == (0, 0, 0, True, False)


@pytest.mark.nightly
def test_an_arm_takes_as_long_as_its_trainings_and_a_budget_is_measured_by_all(timed):
    levers = sets("seeds=5", "arms=[{name: p, set: {train.passes: 4}}]")
    found = planned(timed, "--rounds", "1", *levers)
    seconds = {arm["name"]: arm["seconds"] for arm in found["beside"]}
    each = next(s["seconds"] for s in found["stages"] if s["stage"] == "train")
    assert seconds["the same again"] == pytest.approx(4 * each, rel=0.3)
    assert seconds["p"] == pytest.approx(10 * each, rel=0.3)
    parts = [s["seconds"] for s in found["stages"]] + list(seconds.values())
    assert found["seconds"] >= sum(parts)
    tight = planned(timed, "--no-probe", "--rounds", "1", *levers,
                    *sets("execution.budget.hours=0.0005"))  # fmt: skip
    [warned] = [r["text"] for r in tight["remarks"] if r["level"] == "warning"]
    assert "the budget of 0.0005 h" in warned


@pytest.mark.nightly
@pytest.mark.usefixtures("in_real_time")
def test_a_finished_run_plans_what_is_left_by_its_own_seconds(quick):
    search = SEARCH.replace("trials: 4", "trials: 2, folds: 2, by: overlap")
    run, few = ("--rounds", "1"), ("data.dev=24", "report=[]")
    given = [*run, *sets(*few, R8, search)]
    assert quick.inside("iterate", "--no-test", *given).code == 0
    assert planned(quick, "--no-probe", *given)["beside"] == []
    more = [*run, *sets(*few, R8, search.replace("trials: 2", "trials: 3"), "curve=[0.5, 1]")]
    found = planned(quick, "--no-probe", *more)
    assert {arm["name"]: (arm["trainings"], arm["rows"]) for arm in found["beside"]} == {
        "search trials": (2, 20), "search": (1, 35),
        "50 % of train": (2, 19), "100 % of train": (1, 35),
    }  # fmt: skip
    assert found["measured"] == "earlier stages of this run"
    assert 0 < sum(arm["seconds"] for arm in found["beside"]) <= found["seconds"]
    line = first_line(quick, *more)
    assert line.startswith("plan: up to 6 trainings beside the rounds. Training and answers take ")
    assert line.endswith(", by earlier stages of this run.")


def first_line(project: Project, *given: str) -> str:
    """What a run begins with; its budget is too small for more."""
    result = project.inside("iterate", "--no-test", *given, *sets("execution.budget.hours=1e-9"))
    assert result.code == 130, result.err
    [line] = [line for line in result.err.splitlines() if line.startswith("plan: ")]
    return line


def test_a_search_on_too_few_rows_is_warned_of(quick):
    found = planned(quick, "--no-probe", "--rounds", "1", *sets(SEARCH, "data.train=12"))
    assert found["beside"] == []
    [told] = [r["text"] for r in found["remarks"] if r["level"] == "warning"]
    assert told.startswith("search: valid is too small for a search")


def test_the_table_has_a_line_for_each_and_names_are_text(quick):
    hostile = "arms=[{name: '[bold]r8[/bold]', set: {train.gain: 0.01}}]"
    result = quick.inside("plan", "--no-probe", "--rounds", "1", *sets(hostile, SEARCH, "seeds=5"))
    assert result.code == 0, result.err
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "[bold]r8[/bold]: 5 trainings 35 36 –" in lines
    assert "the same again: 4 trainings 35 36 –" in lines
    assert "search trials: ≤ 12 trainings ≤ 27 ≤ 28 –" in lines
    assert "rows and steps are those of one training" in " ".join(lines)
    assert "Each trial is counted whole" in " ".join(lines)


def test_the_whole_time_says_what_it_leaves_out(quick):
    words = ["plan", "--rounds", "1", *sets(R8, "models=[{source: fake, skill: 0.5}]")]
    told = " ".join(quick.inside(*words).out.split())
    assert re.search(r"take [^;]*; 1 training of unknown time, scoring and reports come on", told)


@pytest.mark.nightly
def test_the_first_line_of_a_run_counts_them(quick):
    planned(quick, "--rounds", "1", *sets(R8))
    line = first_line(quick, "--rounds", "1", *sets(R8, "models=[{source: fake, skill: 0.5}]"))
    assert line.startswith(
        "plan: 1 round of training, on 35 rows (36 steps), 48 answers to dev after each, "
        "2 trainings beside the rounds. Training and answers take about "
    )
    assert re.search(r", [\d.]+ s of it beside the rounds, as measured 20", line)
    assert line.endswith("Of 1 training beside the rounds no time is known: 'fake' (model).")
