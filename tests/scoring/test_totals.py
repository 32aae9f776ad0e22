"""The 95 % interval of one pass/fail score of single rows, by enumeration: nothing is drawn."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

import harness
from harness import scoring
from harness.records import Measurement, Score
from harness.scoring import MetricEntry

PATH = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
spec = importlib.util.spec_from_file_location("coverage_of_shares", PATH)
assert spec is not None and spec.loader is not None
coverage = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = coverage
spec.loader.exec_module(coverage)


class Passes(harness.Metric):
    """Pass or fail."""

    name = "passes"


class Marks(Passes):
    """The same on a scale of its own, of which less is better."""

    bounds = (-1.0, 3.0)
    higher_is_better = False


class Ratio(Passes):
    """A ratio of sums, which is the mean of its rows where each counts once."""

    def aggregate(self, sums, weights):
        return sums[..., :1] / sums[..., 1:]


def score(metric: harness.Metric, rows, size: int = 1) -> Score:
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    measured = [Measurement(f"{i:04}", "passes", row) for i, row in enumerate(rows)]
    groups = {f"{i:04}": f"g{i // size:04}" for i in range(len(rows))}
    entry = MetricEntry("passes", metric)
    return scoring.scores(entry, measured, groups, seed=0, draws=20)["passes"]


def passes(hits: int, n: int) -> list[float]:
    return [1.0] * hits + [0.0] * (n - hits)


@functools.cache
def ends(n: int) -> tuple[tuple[float, float], ...]:
    """The interval after 0, 1, ..., n passes of n single rows."""
    every = [score(Passes(), passes(hits, n)) for hits in range(n + 1)]
    return tuple((each.low, each.high) for each in every)


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("n", [100, 150, 200, 400])
def test_the_interval_of_a_share_holds_it_wherever_it_is(n: int) -> None:
    held, share = coverage.least_held(ends(n), 0.01, 0.99)
    assert held >= 0.92, share


def test_the_enumeration_sees_that_students_t_does_not_hold() -> None:
    shares = np.arange(151) / 150
    reach = 1.976 * np.sqrt(shares * (1 - shares) / 149)
    held, _ = coverage.least_held(
        tuple(zip(shares - reach, shares + reach, strict=True)), 0.01, 0.99
    )
    assert held < 0.86


@pytest.mark.parametrize("n", [2, 5, 20, 200])
def test_both_ends_rise_with_the_passes(n: int) -> None:
    for place in (0, 1):
        side = [each[place] for each in ends(n)]
        assert all(first < later for first, later in itertools.pairwise(side))
    assert (ends(n)[0][0], ends(n)[n][1]) == (0.0, 1.0)


def test_a_score_that_is_pass_or_fail_in_effect_has_the_same_interval() -> None:
    share, marks = (
        score(Passes(), passes(3, 40)),
        score(Marks(), [4 * x - 1 for x in passes(3, 40)]),
    )
    assert (marks.low, marks.high) == pytest.approx((4 * share.low - 1, 4 * share.high - 1))
    counted = score(Ratio(), [(x, 1.0) for x in passes(3, 40)])
    assert (counted.low, counted.high) == (share.low, share.high)


def test_rows_in_groups_and_rows_in_between_have_the_bootstraps() -> None:
    """Its interval lies evenly around the score; that of a share reaches further to the middle."""

    def lopsided(found: Score) -> bool:
        return found.high - found.value != pytest.approx(found.value - found.low)

    ten = passes(10, 40)
    assert lopsided(score(Passes(), ten))
    assert not lopsided(score(Passes(), ten, size=2))
    assert not lopsided(score(Passes(), [*ten[1:], 0.9]))
    # Rows that count twice, so that the score is no mean of them.
    assert not lopsided(score(Ratio(), [(2 * x, 1 + x) for x in ten]))


def test_rows_of_a_score_that_is_no_mean_have_no_interval_where_all_are_alike() -> None:
    found = score(Ratio(), [(0.0, 1.0)] * 40)
    assert (found.value, found.low, found.high) == (0.0, None, None)
