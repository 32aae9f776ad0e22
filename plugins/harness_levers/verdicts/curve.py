"""What more rows are worth: scores of trainings on shares of the rows, and where they lead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness import Measurement, stats
from harness.stats import student
from harness.stats.decision import NO_SPREAD, usable
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent
from harness_levers.records import Curve, CurvePoint

LEVEL = 0.95
ROUNDING = 1e-12
"""A standard error of this share of the largest value is one of rounding."""


@dataclass(frozen=True, slots=True)
class Point:
    """A share of the rows, with measurements of the same examples for each of its seeds."""

    share: float
    rows: int
    values: tuple[float | None, ...]
    measured: tuple[Sequence[Measurement], ...]


def curve(score: DecidingScore, points: Sequence[Point]) -> Curve:
    """The gain for twice the rows, by least squares on the logarithm of their number.

    The gain is a contrast of the points' scores. Its variance has two parts that are added: that
    over groups of rows, of the mean over seeds, and that of trainings with other seeds and draws,
    pooled over all points. Degrees of freedom are Satterthwaite's for the sum. The residual counts
    in both, so bounds are wider rather than narrower than they need be.

    Args:
        points: two shares or more, in rising order, two seeds or more each.
    """
    curve_points = tuple(CurvePoint(point.share, point.rows, point.values) for point in points)

    def unknown(reason: str) -> Curve:
        sentence = f"What more rows are worth in {score.title} cannot be said: {reason}."
        return Curve(curve_points, None, None, None, None, sentence)

    doubt, cells = _cells(score, points)
    if doubt:
        return unknown(doubt)
    size = np.log2([point.rows for point in points])
    # The slope of least squares, as a weighted sum of the scores.
    weights = (size - size.mean()) / ((size - size.mean()) ** 2).sum()
    gain, se, df = _contrast(cells, weights)
    if se <= ROUNDING * float(np.abs(cells).max()):
        return unknown(NO_SPREAD)
    reach = student.quantile(df, (1 + LEVEL) / 2) * se
    low, high = gain - reach, gain + reach
    last = _last_doubling(cells, size)
    sentence = _sentence(score, gain, low, high, last, points[-1].rows)
    return Curve(curve_points, gain, low, high, last, sentence)


def _cells(score: DecidingScore, points: Sequence[Point]) -> tuple[str, stats.Floats]:
    """Why nothing can be said, and the pseudo-values ``(P, S, G)``, positive = better."""
    entry = score.entry
    sides = [side for point in points for side in point.measured]
    nothing = np.zeros((0, 0, 0))
    if not entry.metric.additive:
        return "this metric has no statistics that add up over rows", nothing
    scored = [
        {m.example_id: m.statistics for m in side if m.statistics is not None} for side in sides
    ]
    ids = sorted(set.intersection(*(set(side) for side in scored)))
    if any(len(side) != len(ids) for side in scored):
        return "not all trainings have the same rows scored", nothing
    names = [score.groups.get(name) or name for name in ids]
    if reason := usable(names):
        return reason, nothing
    column, sign = entry.column(score.name), 1 if entry.metric.higher_is_better else -1
    tables = [np.array([side[name] for name in ids], dtype=np.float64) for side in scored]
    cells = np.stack(
        [
            sign * stats.pseudo_values(entry.aggregate, measurement, names)[:, column]
            for measurement in tables
        ]
    )
    if not np.isfinite(cells).all():
        return NO_SPREAD, nothing
    return "", cells.reshape(len(points), -1, cells.shape[1])


def _contrast(cells: stats.Floats, weights: stats.Floats) -> tuple[float, float, float]:
    """Value, standard error and degrees of freedom of a weighted sum of the points' scores."""
    shares, seeds, groups = cells.shape
    # The contrast within each group of rows, of which the groups are a sample.
    by_group = np.tensordot(weights, cells.mean(axis=1), 1)
    of_rows = float(by_group.var(ddof=1)) / groups
    # And of whole trainings: the variance over seeds, pooled over the shares.
    scores = cells.mean(axis=2)
    freedom = shares * (seeds - 1)
    spread = float(((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum()) / freedom
    of_seeds = float((weights**2).sum()) * spread / seeds
    total = of_rows + of_seeds
    if total == 0:
        return float(by_group.mean()), 0.0, 1.0  # which says nothing
    # Satterthwaite 1946.
    df = total**2 / (of_rows**2 / (groups - 1) + of_seeds**2 / freedom)
    return float(by_group.mean()), math.sqrt(total), df


def _last_doubling(cells: stats.Floats, size: stats.Floats) -> float | None:
    """The gain from the last point but one, if the last has twice its rows or about that."""
    if not 0.8 <= size[-1] - size[-2] <= 1.25:
        return None
    scores = cells.mean(axis=(1, 2))
    return float(scores[-1] - scores[-2])


def _sentence(
    score: DecidingScore, gain: float, low: float, high: float, last: float | None, rows: int
) -> str:
    show = number(score.entry)
    head = (
        f"twice the rows ({rows} more) are worth {show(gain)} in {score.title} ({percent(LEVEL)} "
        f"interval {show(low)} to {show(high)}; positive = better)"
    )
    if low > 0:
        sentence = f"More rows help: {head}."
    elif high < 0:
        sentence = f"More rows did harm: {head}."
    else:
        sentence = f"No evidence that more rows help: {head}."
    if last is not None and low > 0 and last < gain / 2:
        sentence += f" The last doubling brought {show(last)}, less than half of that: it flattens."
    return sentence
