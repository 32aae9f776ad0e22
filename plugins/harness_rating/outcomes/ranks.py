"""Spearman's rank correlation of raters' numbers and a metric's, with its interval.

The coefficient is SciPy's; its draws, over whole groups, are computed under weights for all draws
at once, which gives what SciPy would give for the drawn answers.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.stats import DRAWS, Floats, encode, weights
from harness_rating.figures import Figure, figure

BLOCK = 1 << 20  # numbers held at once: 8 MiB


@dataclass(frozen=True, slots=True)
class Rows:
    """Raters' numbers beside a metric's, one row each.

    Attributes:
        raters, metric: ``(n,)``, oriented so that more is better.
        groups: one per row.
    """

    people: Floats
    metric: Floats
    groups: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(set(self.groups))


def spearman(rows: Rows, seed: int, draws: int = DRAWS) -> Figure:
    """Spearman's rank correlation, ties sharing their middle rank."""
    if why := flat(rows):
        return Figure(None, n=len(rows.people), groups=rows.count, why=why)
    from scipy import stats as scipy_stats

    value = float(scipy_stats.spearmanr(rows.people, rows.metric).statistic)
    return _drawn_figure(value, rows, _weighted_spearman(rows), seed, (-1.0, 1.0), draws)


def _weighted_spearman(rows: Rows) -> Callable[[Floats], Floats]:
    """``weights (b, n) -> (b,)``: the correlation of a sample with so many copies of each row."""
    rank = [_ranker(side) for side in (rows.people, rows.metric)]

    def drawn(copies: Floats) -> Floats:
        total = copies.sum(axis=1, keepdims=True)
        one, other = (of(copies) - total / 2 for of in rank)
        spread = [(copies * side * side).sum(axis=1) for side in (one, other)]
        return np.asarray((copies * one * other).sum(axis=1) / np.sqrt(spread[0] * spread[1]))

    return drawn


def _ranker(values: Floats) -> Callable[[Floats], Floats]:
    """``weights (b, n) -> middle ranks (b, n)``; their mean over a sample is half its size."""
    order = np.argsort(values, kind="stable")
    _, starts, place = np.unique(values[order], return_index=True, return_inverse=True)
    back = np.empty(len(values), np.intp)
    back[order] = place

    def ranks(copies: Floats) -> Floats:
        each = np.add.reduceat(copies[:, order], starts, axis=1)
        middle = np.cumsum(each, axis=1) - each / 2
        return np.asarray(middle[:, back])

    return ranks


def _drawn_figure(
    value: float,
    rows: Rows,
    of: Callable[[Floats], Floats],
    seed: int,
    bounds: tuple[float, float],
    draws: int = DRAWS,
) -> Figure:
    codes, count = encode(rows.groups)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    if count < 2:
        return figure(value, None, sizes, bounds)
    step = max(1, BLOCK // len(codes))
    drawn = []
    with np.errstate(all="ignore"):
        for block in weights(count, seed, draws):
            for start in range(0, len(block), step):
                copies = block[start : start + step].astype(np.float64)[:, codes]
                drawn.append(of(copies))
    return figure(value, np.concatenate(drawn), sizes, bounds)


def flat(rows: Rows) -> str:
    if len(rows.people) < 2:
        return "fewer than two answers are both rated and scored"
    if np.ptp(rows.people) == 0:
        return "raters gave all of them the same"
    return "the metric gives all of them the same" if np.ptp(rows.metric) == 0 else ""
