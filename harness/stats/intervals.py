"""One score, or the paired difference of two systems, with bounds and p.

Every bound of one score is ``value ± t x se`` with ``se`` the standard deviation of the bootstrap
over whole groups, corrected for there being few of them
(:func:`harness.stats.groups.small_sample`): for K groups of equal size by sqrt(K / (K - 1)), with
Student's t on K - 1 degrees of freedom (Cameron and Miller, *A Practitioner's Guide to
Cluster-Robust Inference*, 2015, section VI). Without it, bounds are too narrow for the few dozen
groups that a held-out set has.

A bound of a difference lies further out where Hall's transformation, which takes skewness into
account, puts it there (:mod:`harness.stats.skewness`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.stats import skewness, student
from harness.stats.groups import (
    ROUNDING,
    Aggregate,
    Floats,
    Groups,
    effective_groups,
    encode,
    group_sums,
    score,
    small_sample,
    totals,
    with_rows,
)
from harness.stats.resampling import DRAWS, replicates

_Bounds = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Interval:
    """One score; ``low``, ``high`` and ``se`` are None where there is no spread to judge by."""

    value: float
    low: float | None
    high: float | None
    se: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of a minus score of b on the same rows; each bound holds at ``level``.

    Attributes:
        effective: the number of equal groups that the groups are worth.
        p: two-sided, from the same statistics as the bounds: below .05 exactly where bounds
            of level .975 exclude 0. Without any spread it is 1 for a difference of 0 (the
            systems are equal) and 0 for any other (all groups differ by the same). None where
            there are no bounds.
    """

    value: float
    low: float | None
    high: float | None
    se: float | None
    level: float
    n: int
    groups: int
    effective: float
    p: float | None = None


@np.errstate(all="ignore")  # a score that cannot be computed is NaN here, and said so by None
def interval(
    aggregate: Aggregate,
    statistics: Floats,
    groups: Groups,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> list[Interval]:
    """Each of the m scores with its two-sided interval (not clipped to any bounds).

    Args:
        statistics: ``(n, k)`` with n > 0, finite.

    Returns:
        m intervals; without bounds where there are fewer than two groups.
    """
    codes, count = encode(groups)
    table = with_rows(group_sums(statistics, codes, count), codes, count)
    value = score(aggregate, totals(statistics))
    if count < 2:
        return [Interval(float(v), None, None, None) for v in value]
    factor, worth = small_sample(table[:, -1])
    spread = _spread(score(aggregate, replicates(table, seed, draws)), factor)
    spread = _rounded(spread, ROUNDING * np.abs(value))
    reach = student.quantile(worth - 1, (1 + level) / 2)
    return [
        Interval(float(v), *_around(v, s, reach, reach)) for v, s in zip(value, spread, strict=True)
    ]


def from_end(groups: Groups, alpha: float) -> float:
    """How far a mean may lie from an end of its range at which all rows are; wrong with ``alpha``.

    As a share of the range. A draw without spread says nothing; but if more than this share of
    equal groups had a row elsewhere, none among so many would be rarer than ``alpha`` (Clopper and
    Pearson, *The use of confidence or fiducial limits illustrated in the case of the binomial*,
    Biometrika 26, 1934), and the mean lies no further from the end than that share.
    """
    return float(1 - alpha ** (1 / effective_groups(groups)))


@np.errstate(all="ignore")
def difference(
    aggregate: Aggregate,
    statistics_a: Floats,
    statistics_b: Floats,
    groups: Groups,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> list[Difference]:
    """Each of the m scores of a minus that of b, paired by row and clustered by group.

    Both sides see the same resampled groups, so what they share cancels, for non-linear
    corpus scores too.

    Args:
        statistics_a, statistics_b: ``(n, k)`` with n > 0; row i of both is one example.
        level: confidence of each one-sided bound.

    Returns:
        m differences; without bounds and p where there are fewer than two groups.

    Raises:
        ValueError: the two sides are of different shape.
    """
    if statistics_a.shape != statistics_b.shape:
        raise ValueError("a paired difference needs the same rows on both sides")
    codes, count = encode(groups)
    sides = [statistics_a, statistics_b]
    of_a, of_b = (score(aggregate, totals(side)) for side in sides)
    noise = ROUNDING * np.maximum(np.abs(of_a), np.abs(of_b))
    value = _rounded(of_a - of_b, noise)
    n, width = statistics_a.shape
    if count < 2:
        return [Difference(float(v), None, None, None, level, n, count, count) for v in value]
    sums = np.hstack([group_sums(side, codes, count) for side in sides])
    table = with_rows(sums, codes, count)
    drawn = replicates(table, seed, draws)
    drawn_a = score(aggregate, np.delete(drawn, np.s_[width:-1], axis=1))
    drawn_b = score(aggregate, drawn[:, width:])
    factor, worth = small_sample(table[:, -1])
    spread = _rounded(_spread(drawn_a - drawn_b, factor), noise)
    left_out = _without_each_group(aggregate, table, width)
    skews = skewness.skewness(of_a - of_b, left_out, table[:, -1] / n)
    quantile, df = student.quantile(worth - 1, level), worth - 1
    return [
        Difference(
            float(v), *_around(v, s, *skewness.reaches(quantile, skew)), level, n, count, worth,
            _p(v, s, df, skew),
        )
        for v, s, skew in zip(value, spread, skews, strict=True)
    ]  # fmt: skip


def detectable(se: float, level: float, groups: float, power: float = 0.8) -> float:
    """The smallest true difference whose one-sided bound clears 0 with probability ``power``.

    ``(t_level + t_power) x se``, both quantiles with ``groups`` - 1 degrees of freedom, where
    ``groups`` is the effective number.
    """
    return (student.quantile(groups - 1, level) + student.quantile(groups - 1, power)) * se


def _without_each_group(aggregate: Aggregate, table: Floats, width: int) -> Floats:
    """Differences ``(K, m)`` on all groups but one; ``width`` columns of a, then those of b."""
    rest = table.sum(axis=0) - table
    apart = score(aggregate, np.delete(rest, np.s_[width:-1], axis=1))
    apart -= score(aggregate, rest[:, width:])
    return apart


def _spread(scores: Floats, factor: float) -> Floats:
    """Standard errors ``(m,)`` of replicates ``(draws, m)``; not finite if some draw is not."""
    spread: Floats = scores.std(axis=0, ddof=1) * math.sqrt(factor)
    return spread


def _rounded(values: Floats, noise: Floats) -> Floats:
    """Values with those of no more than ``noise`` set to 0."""
    return np.where(np.abs(values) <= noise, 0.0, values)


def _around(value: float, se: float, below: float, above: float) -> _Bounds:
    """Low, high and se, or three None where there is no finite standard error."""
    if not math.isfinite(se) or not math.isfinite(value):
        return None, None, None
    return float(value - below * se), float(value + above * se), float(se)


def _p(value: float, se: float, df: float, skew: float) -> float | None:
    if not math.isfinite(se) or not math.isfinite(value):
        return None
    if se > 0:
        return student.both_tails(skewness.doubted(value / se, skew), 1.0, df)
    return student.both_tails(value, se, df)
