"""Rows that two sides have in common: what may be compared, and the first reason against it.

What cannot be scored is seldom missing by chance. A row without a score on one side alone
therefore counts against the newer side, with the worst value there is; where the metric has no
worst value nothing is concluded. Rows without a score on either side are left out.

:func:`differences` is the one rule by which two sides are compared, in the loop and in
``harness score``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness import stats
from harness.records import Measurement
from harness.scoring import Groups, MetricEntry, group_names, overrides, table
from harness.stats.decision import POWER, Test, usable

_NOT_ADDITIVE = "this metric has no statistics that add up over rows, so it has no interval"
_OTHER_METRIC = "the two sides hold different statistics of this metric"
_Statistics = Sequence[float]
_Scored = Sequence[set[str]]

_NOT_BY_CHANCE = "and what cannot be scored is seldom missing by chance"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows scored on both sides, in the order of their ids.

    Attributes:
        ids: of the examples.
        names: each row's group.
        new, old: statistics ``(n, k)``.
        doubt: why there is no verdict, or an empty string.
        comparable: whether even the bare difference means something.
        note: which unscored rows count, and with what values, or an empty string.
    """

    ids: list[str]
    names: list[str]
    new: stats.Floats
    old: stats.Floats
    doubt: str
    comparable: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Paired:
    """New minus old in one score, turned so that positive is better.

    Attributes:
        gap: the difference with its bounds.
        test: ``bootstrap`` or ``mcnemar``: where its bounds and p come from.
        wins, ties, losses: rows whose own value is better, equal, worse.
    """

    gap: stats.Difference
    test: str
    wins: int
    ties: int
    losses: int

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that is found with 80 % power if rows differ as these do.

        McNemar's p moves in steps of a row, so its test needs one row more than the normal law
        says. None where the spread is not known, or 0.
        """
        gap = self.gap
        if not gap.se:
            return None
        least = stats.detectable(gap.se, gap.level, gap.effective, POWER)
        return least + 1 / gap.n if self.test == "mcnemar" else least


def complete_pairs(
    entry: MetricEntry,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
    groups: Groups,
    *,
    fill: bool = True,
) -> Pairs:
    """The rows to be compared, and the first reason against a verdict on them.

    Args:
        fill: whether a row that one side alone leaves unscored counts, against ``new``, if the
            metric has a worst value. Not where neither side is the newer one.
    """
    sides: list[dict[str, _Statistics | None]] = [
        {m.example_id: m.statistics for m in side} for side in (new, old)
    ]
    if [len(side) for side in sides] != [len(new), len(old)]:
        raise ValueError("an example is measured twice on one side")
    scored = [{key for key, statistics in side.items() if statistics is not None} for side in sides]
    ids, note = sorted(scored[0] & scored[1]), ""
    doubt = "" if scored[0] == scored[1] else _missing(sides, scored)
    same = sides[0].keys() == sides[1].keys()
    if doubt and fill and same and (worst := _extremes(entry, sides)):
        ids, doubt, note = sorted(scored[0] | scored[1]), "", _counted(entry, scored, worst)
        for side, values in zip(sides, worst, strict=True):
            side |= {key: values for key in ids if side[key] is None}
    names = group_names(groups, ids)
    if not entry.metric.additive:
        return Pairs(ids, names, table([]), table([]), _NOT_ADDITIVE, False)
    if not ids:
        return Pairs(ids, names, table([]), table([]), usable(names), False)
    first, second = (np.array([side[key] for key in ids], dtype=np.float64) for side in sides)
    if first.shape != second.shape:
        return Pairs(ids, names, table([]), table([]), _OTHER_METRIC, False)
    if doubt:
        return Pairs(ids, names, first, second, f"{doubt}, {_NOT_BY_CHANCE}", False)
    return Pairs(ids, names, first, second, usable(names), True, note)


def differences(
    entry: MetricEntry, pairs: Pairs, alpha: float, seed: int, draws: int, test: Test = "auto"
) -> list[Paired]:
    """Each score's difference with the test that decides on it.

    A pass/fail score of single rows has McNemar's exact test and bounds of its own
    (:func:`harness.stats.share_bounds`); everything else, pass/fail in groups too, has the
    bootstrap over groups.

    Args:
        alpha: error allowed to each one-sided bound.
        test: other than ``auto``, the bootstrap whatever the score is.
    """
    sides = [pairs.new, pairs.old]
    first, second = sides if entry.metric.higher_is_better else reversed(sides)
    gaps = stats.difference(entry.aggregate, first, second, pairs.names, seed, 1 - alpha, draws)
    own = [entry.own_values(side) for side in (first, second)]
    return [
        _paired(gap, own[0][:, place], own[1][:, place], exact=test == "auto")
        for place, gap in enumerate(gaps)
    ]


def _paired(
    gap: stats.Difference, better: stats.Floats, worse: stats.Floats, *, exact: bool
) -> Paired:
    """One score; the rows' own values of both sides, in which higher is better (or both turned)."""
    known = np.isfinite(better) & np.isfinite(worse)
    apart = np.sign(better[known] - worse[known])
    wins, losses = int((apart > 0).sum()), int((apart < 0).sum())
    counts = (wins, int(known.sum()) - wins - losses, losses)
    if not exact or not _is_share(gap, better, worse, wins - losses):
        return Paired(gap, "bootstrap", *counts)
    low, high = stats.share_bounds(wins, losses, gap.n, 1 - gap.level)
    gap = dataclasses.replace(gap, low=low, high=high, p=stats.mcnemar(wins, losses))
    return Paired(gap, "mcnemar", *counts)


def _is_share(gap: stats.Difference, a: stats.Floats, b: stats.Floats, net: int) -> bool:
    """Whether the difference is that of two shares of single rows, which McNemar's test takes."""
    if gap.groups != gap.n or gap.low is None:
        return False
    pass_or_fail = all(np.isin(side, (0.0, 1.0)).all() for side in (a, b))
    return pass_or_fail and math.isclose(gap.value * gap.n, net, abs_tol=1e-6)


def _missing(sides: Sequence[Mapping[str, object]], scored: _Scored) -> str:
    rows = len(sides[0].keys() | sides[1].keys())
    here, there = (rows - len(side) for side in scored)
    doubt = f"of {rows} rows, {here} are unscored on this side and {there} on the other"
    return doubt + (", and not the same ones" if here == there else "")


def _extremes(
    entry: MetricEntry, sides: Sequence[Mapping[str, _Statistics | None]]
) -> tuple[_Statistics, _Statistics] | None:
    """Statistics of the worst and of the best answer there is; None where they are not known.

    They are where scores are plain means of statistics within finite bounds. A corpus score's
    statistics are counts that depend on the answer's length, so no row of counts is the worst.
    What people have not said yet is no failure.
    """
    metric = entry.metric
    if metric.by_people or overrides(metric, "aggregate", "values"):
        return None
    if not all(map(math.isfinite, metric.bounds)):
        return None
    count = len(entry.score_names)
    known = [statistics for side in sides for statistics in side.values() if statistics]
    if any(len(statistics) != count for statistics in known):
        return None
    least, most = metric.bounds
    values = [value for statistics in known for value in statistics]
    if values and (min(values) < least or max(values) > most):
        return None  # the metric does not keep to the bounds that it names
    if not metric.higher_is_better:
        least, most = most, least
    return (least,) * count, (most,) * count


def _counted(entry: MetricEntry, scored: _Scored, extremes: tuple[_Statistics, _Statistics]) -> str:
    """``2 rows unscored on this side count as 0, the worst value``, and the other side's."""
    both = ((scored[1] - scored[0], "this", "worst"), (scored[0] - scored[1], "the other", "best"))
    parts = []
    for (missing, side, which), values in zip(both, extremes, strict=True):
        if missing:
            rows = "1 row" if len(missing) == 1 else f"{len(missing)} rows"
            verb = "counts" if len(missing) == 1 else "count"
            parts.append(
                f"{rows} unscored on {side} side {verb} as {values[0]:g}, the {which} value"
            )
    return ", ".join(parts)
