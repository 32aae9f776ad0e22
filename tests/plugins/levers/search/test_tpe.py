"""What the searcher proposes: a function of the record alone, that finds a known valley."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import harness
from harness.errors.installing import install_extra
from harness_levers.search.tpe import Optuna

RATE = {"low": 1e-5, "high": 1e-1, "log": True}
GIVEN = {"over": {"train.rate": RATE, "train.size": [8, 16, 32]}, "startup": 4}


def made(**given: Any) -> Optuna:
    return Optuna(Optuna.Options.model_validate(GIVEN | given))


def valley(values: Mapping[str, Any]) -> float:
    return abs(math.log10(values["train.rate"]) + 3) + abs(values["train.size"] - 16) / 16


def searched(
    searcher: Optuna, count: int, value: Callable[[Mapping[str, Any]], float], *, up: bool = False
) -> list[harness.Trial]:
    own = {"train.rate": 2.0, "train.size": 8}  # outside of the range: known to the core alone
    trials = [harness.Trial(0, own, (value(own),), "done")]
    while len(trials) < count:
        values = searcher.propose(trials, 7, up)
        if values is None:
            break
        trials.append(harness.Trial(len(trials), values, (value(values),), "done"))
    return trials


@pytest.mark.parametrize("up", [False, True])
def test_later_trials_are_better_than_those_drawn_at_random(up: bool) -> None:
    sign = -1 if up else 1
    trials = searched(made(), 24, lambda values: sign * valley(values), up=up)
    far = [valley(one.values) for one in trials[1:]]
    assert sum(far[-8:]) / 8 < sum(far[:4]) / 4
    assert min(far) < 0.5


def test_a_proposal_depends_on_the_record_and_the_seed_alone() -> None:
    trials = searched(made(), 8, valley)
    for place in range(1, 8):
        assert made().propose(trials[:place], 7, False) == trials[place].values
    assert made().propose(trials[:3], 8, False) != trials[3].values


def test_what_is_drawn_can_be_written_into_a_config() -> None:
    whole = made(over={"a": {"low": 1, "high": 9}, "b": {"low": 0.0, "high": 1.0}})
    values = whole.propose([harness.Trial(0, {})], 7, False)
    assert values is not None
    assert type(values["a"]) is int and 1 <= values["a"] <= 9
    assert len(str(values["b"]).partition(".")[2].lstrip("0")) <= 3


def test_a_space_of_lists_is_used_up_without_a_repetition() -> None:
    searcher = made(over={"train.size": [8, 16, 32], "train.rate": [0.1, 0.01]})
    trials = searched(searcher, 20, valley)
    tried = [tuple(one.values.values()) for one in trials[1:]]
    assert len(tried) == len(set(tried)) == 6


def test_trials_that_ended_early_or_failed_are_no_obstacle() -> None:
    trials = searched(made(), 6, valley)
    trials += [
        harness.Trial(6, {"train.rate": 0.01, "train.size": 8}, (3.0,), "pruned"),
        harness.Trial(7, {"train.rate": 0.02, "train.size": 8}, (), "failed", failed="so"),
    ]
    assert made().propose(trials, 7, False) is not None


@pytest.mark.parametrize(("up", "worse", "better"), [(False, 3.0, 1.0), (True, 1.0, 3.0)])
def test_a_trial_is_hopeless_that_is_worse_than_the_median(
    up: bool, worse: float, better: float
) -> None:
    trials = [harness.Trial(n, {}, (2.0, 2.5), "done") for n in range(4)]
    assert made().hopeless((worse,), trials, up)
    assert not made().hopeless((better,), trials, up)
    assert not made().hopeless((worse,), trials[:3], up), "too few to compare with"
    assert not made(prune=False).hopeless((worse,), trials, up)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        made().propose([harness.Trial(0, {})], 7, False)
    assert caught.value.hint == install_extra("search")


def test_limits_are_medians_of_those_that_came_as_far() -> None:
    courses: list[tuple[float, ...]] = [(4, 3, 2), (5, 4, 3), (6,), (3, 2, 1), ()]
    trials = [harness.Trial(n, {}, course=one) for n, one in enumerate(courses)]
    assert made(startup=3).limits(trials) == (4.5, 3, 2)
    assert made(startup=4).limits(trials) == (4.5, None, None)
    assert made(startup=3, prune=False).limits(trials) == ()
    assert made().limits([]) == ()


def test_what_a_trial_that_was_cut_short_has_shown_is_learned_from() -> None:
    trials = searched(made(), 6, valley)
    cut = harness.Trial(6, {"train.rate": 0.01, "train.size": 8}, (), "pruned", course=(3.0,))
    later = [*trials, cut]
    assert made().propose(later, 7, False) != made().propose(
        [*trials, dataclasses.replace(cut, course=())], 7, False
    )
