"""Krippendorff's alpha and raw agreement, with intervals.

With m ratings of unit u, n(u, c) of them of value c, n(c) in all units with two or more ratings, N
such ratings, and d2 the squared distance of two values:

    alpha = 1 - D_o / D_e
    D_o = sum over u of  sum over c, k of n(u,c) n(u,k) d2(c,k) / (m - 1)
    D_e = sum over c, k of n(c) n(k) d2(c,k) / (N - 1)

Sources: K. Krippendorff, *Computing Krippendorff's Alpha-Reliability*, 2011; A. F. Hayes and
K. Krippendorff, *Answering the Call for a Standard Reliability Measure for Coding Data*, 2007.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from harness.stats import DRAWS, Floats
from harness.stats.groups import ROUNDING
from harness_rating.agreement.grid import MOST_NAMES, TOO_MANY, Grid, counts, grid, undefined
from harness_rating.figures import Figure, Scores, bootstrap, share

Kind = Literal["nominal", "ordinal", "interval", "sets"]

_EXACT_RANKS = 16  # ordinal categories up to which each draw gets ranks of its own


def alpha(values: Sequence[Sequence[Any]], kind: Kind) -> float | None:
    """Krippendorff's alpha of a table ``(units, raters)``; None where it is undefined.

    Args:
        kind: ``nominal``, ``ordinal`` and ``interval`` as in Krippendorff (2011); ``sets``
            takes lists of choices, as far apart as 1 - |common| / |chosen by either|.

    Raises:
        ValueError: a value without a number on an ordinal or interval scale.
    """
    return alpha_of(grid(values), kind, seed=None).value


def alpha_of(ratings: Grid, kind: Kind, seed: int | None, draws: int = DRAWS) -> Figure:
    """Alpha with its interval; no interval without a seed."""
    if ratings.why:
        return undefined(ratings)
    if kind in ("nominal", "sets") and len(ratings.categories) > MOST_NAMES:
        return dataclasses.replace(undefined(ratings), why=TOO_MANY)
    table, scores = _alpha_parts(ratings, kind)
    (figure,) = bootstrap(table, scores, ratings.groups, seed, (-math.inf, 1.0), draws=draws)
    return figure


def raw_of(ratings: Grid, seed: int | None, draws: int = DRAWS) -> Figure:
    """Share of pairs of ratings of one unit that are the same."""
    if not ratings.count:
        return undefined(ratings)
    used, sizes = counts(ratings), ratings.sizes
    same = np.asarray(used.multiply(used - used.sign()).sum(axis=1)).ravel()
    table = np.column_stack([same, sizes * (sizes - 1.0)])
    return share(table, ratings.groups, seed, draws=draws)


# -- parts of alpha: columns that add up over units, and the coefficient of their sums ---------


def _alpha_parts(ratings: Grid, kind: Kind) -> tuple[Any, Scores]:
    if kind in ("ordinal", "interval") and not np.isfinite(ratings.numbers).all():
        raise ValueError(f"an {kind} scale needs a number for each value")
    if kind == "interval":
        return _moments(ratings, ratings.numbers)
    used = counts(ratings)
    if kind == "nominal":
        return _by_distance(ratings, used, 1.0 - np.eye(len(ratings.categories)))
    if kind == "sets":
        return _by_distance(ratings, used, _set_distances(ratings.categories))
    if len(ratings.categories) <= _EXACT_RANKS:
        return _ordinal(ratings, used.toarray())
    return _moments(ratings, _midranks(np.asarray(used.sum(axis=0)).ravel()))


def _by_distance(ratings: Grid, counts: Any, apart: Floats) -> tuple[Floats, Scores]:
    """Any distance between categories, as a matrix ``(V, V)``."""
    observed = np.asarray(counts.multiply(counts @ apart).sum(axis=1)).ravel() / (ratings.sizes - 1)

    def scores(sums: Floats) -> Floats:
        each = sums[1:]
        expected = (apart @ each * each).sum(axis=0) / (each.sum(axis=0) - 1)
        return _row(1 - sums[0] / expected)

    return np.column_stack([observed, counts.toarray()]), scores


def _moments(ratings: Grid, numbers: Floats) -> tuple[Floats, Scores]:
    """Squared differences of numbers, through sums of them and of their squares."""
    values = numbers[ratings.codes]
    values = values - values.mean()  # no digits lost where all lie far from 0
    sizes = ratings.sizes.astype(np.float64)
    first = np.bincount(ratings.units, values, ratings.count)
    second = np.bincount(ratings.units, values**2, ratings.count)
    deviations = values - (first / sizes)[ratings.units]
    within = np.bincount(ratings.units, deviations**2, ratings.count)
    observed = 2 * sizes * within / (sizes - 1)

    def scores(sums: Floats) -> Floats:
        apart, total, linear, squares = sums
        expected = 2 * (total * squares - linear**2) / (total - 1)
        return _row(1 - apart / np.where(expected > ROUNDING * squares, expected, np.nan))

    return np.column_stack([observed, sizes, first, second]), scores


def _ordinal(ratings: Grid, counts: Floats) -> tuple[Floats, Scores]:
    """Krippendorff's ordinal distance is the squared difference of mid-ranks."""
    low, high = np.triu_indices(counts.shape[1], 1)
    met = counts[:, low] * counts[:, high] / (ratings.sizes - 1.0)[:, None]

    def scores(sums: Floats) -> Floats:
        pairs, each = sums[: len(low)], sums[len(low) :]
        ranks = _midranks(each)  # of the sample, so each draw of the bootstrap has its own
        apart = (ranks[low] - ranks[high]) ** 2
        observed = (pairs * apart).sum(axis=0)
        chance = (each[low] * each[high] * apart).sum(axis=0)
        return _row(1 - observed * (each.sum(axis=0) - 1) / chance)

    return np.hstack([met, counts]), scores


def _row(scores: Any) -> Floats:
    return np.asarray(scores, np.float64)[None, :]


def _midranks(counts: Floats) -> Floats:
    """Middle rank ``(V, ...)`` of each category, from how often each was used."""
    ranks: Floats = np.cumsum(counts, axis=0) - counts / 2
    return ranks


def _set_distances(sets: Sequence[Any]) -> Floats:
    """1 - |common| / |chosen by either| of each two sets; two empty ones are equal."""
    choices = sorted({choice for chosen in sets for choice in chosen})
    inside = np.array([[choice in chosen for choice in choices] for chosen in sets], np.float64)
    inside = inside.reshape(len(sets), len(choices))
    common = inside @ inside.T
    each = inside.sum(axis=1)
    either = each[:, None] + each[None, :] - common
    near = np.divide(common, either, out=np.ones_like(common), where=either > 0)
    return np.asarray(1.0 - near)
