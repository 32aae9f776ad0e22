"""The family of arms: what each may risk, Holm's steps, and what is worth it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scipy import special

from harness.records import Verdict
from harness_levers.verdicts.holm import CLIMBED, budget, built_on_each_other, holm, worth_of

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from climbing import simulated


def verdict_of(gain: float, se: float, alpha: float) -> Verdict:
    reach = float(special.ndtri(1 - alpha)) * se
    low, high = gain - reach, gain + reach
    label = "improved" if low > 0 else "regressed" if high < 0 else "no evidence"
    return Verdict(label, "round 1", gain, low, high, 1 - alpha, None, label)


def test_one_arm_after_the_other_is_given_what_the_series_says() -> None:
    assert [budget(before, 1) for before in range(3)] == pytest.approx([0.025, 0.05 / 6, 0.05 / 12])
    assert budget(0, 3) == pytest.approx(sum(0.05 / (a * (a + 1)) for a in (1, 2, 3)))
    assert sum(budget(before, 1) for before in range(100_000)) < 0.05


def judged(gains: dict[str, float], alpha: float = 0.05) -> dict[str, Verdict]:
    return holm(list(gains), alpha, lambda name, error: verdict_of(gains[name], 1.0, error))


def test_each_arm_that_is_called_leaves_more_to_the_others() -> None:
    # One-sided z: 2.13 at .05/3, 1.96 at .05/2, 1.64 at .05.
    found = judged({"a": 2.2, "b": 2.0, "c": 1.7})
    assert [one.label for one in found.values()] == ["improved"] * 3
    assert [one.level for one in found.values()] == pytest.approx([1 - 0.05 / 3, 0.975, 0.95])
    assert [one.label for one in judged({"a": 2.1, "b": 2.0, "c": 1.7}).values()] == [
        "no evidence"
    ] * 3


def test_worse_ones_do_not_help_better_ones() -> None:
    found = judged({"a": -4.0, "b": 1.8})
    assert found["a"].label == "regressed"
    assert found["b"].label == "no evidence"
    assert judged({"a": 4.0, "b": 1.8})["b"].label == "improved"


def test_an_open_arm_shows_bounds_under_which_it_is_open() -> None:
    found = judged({"a": 4.0, "b": 1.0, "c": 0.5})
    assert found["b"].low is not None
    assert found["b"].low < 0


def test_what_failed_counts_in_the_family() -> None:
    gains = {"a": 1.8}

    def judge(name: str, alpha: float) -> Verdict:
        return verdict_of(gains.get(name, 0.0), 1.0, alpha)

    assert holm(["a"], 0.05, judge)["a"].label == "improved"
    assert holm(["a", "failed"], 0.05, judge)["a"].label == "no evidence"


def test_null_families_are_wrongly_called_as_often_as_they_may() -> None:
    import numpy as np

    rng, wrong = np.random.default_rng(1), 0
    for _ in range(2000):
        gains = dict(zip("abcd", rng.normal(size=4), strict=True))
        wrong += any(one.label == "improved" for one in judged(gains).values())
    assert 0.035 < wrong / 2000 < 0.06


@pytest.mark.parametrize(
    ("gain", "state"), [(0.0, "no"), (3.0, "yes"), (1.0, "open"), (-2.0, "no")]
)
def test_a_gain_that_matters_is_shown_excluded_or_open(gain: float, state: str) -> None:
    assert worth_of(verdict_of(gain, 0.4, 0.05), 1.0) == state


def test_from_the_tenth_arm_on_a_verdict_says_what_climbing_does() -> None:
    assert built_on_each_other(8, 1) == ()
    assert built_on_each_other(0, 12) == (), "none was chosen by what dev said of another"
    [remark] = built_on_each_other(9, 1)
    tenth = remark.sentence
    assert remark.figures == {"arms": 10, "of": 10, "improved": CLIMBED[10]}
    assert "10 arms were judged on these rows of dev" in tenth
    assert "of 10 such arms without any effect, one was called improved in 6 % of" in tenth
    assert "on its test set, or on other rows of dev" in tenth
    assert "of 20 such arms without any effect, one was called improved in 9 %" in (
        built_on_each_other(20, 3)[0].sentence
    )
    assert "with more arms it is more often" in built_on_each_other(80, 1)[0].sentence


def test_climbs_are_called_improved_as_often_as_the_sentence_says() -> None:
    """A short version of ``benchmarks/climbing.py``."""
    built, apart = (simulated(400, 60, 3, built=built) for built in (True, False))
    for number, share in CLIMBED.items():
        error = (share * (1 - share) / 400) ** 0.5
        assert abs((built <= number).mean() - share) < 4 * error
    assert (apart <= 60).mean() < 0.08


def test_where_no_row_differs_only_what_so_many_rows_can_exclude_is_excluded() -> None:
    bound = 1 - 0.05 ** (1 / 60)  # pass or fail in 60 single rows
    same = Verdict("no evidence", "round 1", 0.0, -bound, bound, 0.95, None, "")
    assert worth_of(same, 0.1) == "no"
    assert worth_of(same, 0.04) == "open"
    graded = Verdict("no evidence", "round 1", 0.0, 0.0, 0.0, 0.95, None, "")
    assert worth_of(graded, 0.1) == "open"
