"""Kappa of two raters, and its mean over all pairs of raters, with intervals.

Sources: J. Cohen, *A Coefficient of Agreement for Nominal Scales*, 1960, and *Weighted Kappa*,
1968; R. J. Light, *Measures of Response Agreement for Qualitative Data*, 1971 (the mean over
pairs).

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from harness.stats import DRAWS, Floats, Ints
from harness.stats.groups import ROUNDING
from harness_rating.agreement.grid import MOST_NAMES, TOO_MANY, Grid, grid, undefined
from harness_rating.figures import Figure, Scores, bootstrap, sparse_of


def kappa(
    a: Sequence[Any], b: Sequence[Any], weighting: Literal["quadratic", "none"] = "quadratic"
) -> float | None:
    """Cohen's kappa of two raters; None where it is undefined.

    Args:
        a, b: one value per unit, None = not rated; units that only one rated are left out.
        weighting: ``quadratic`` for numbers (Cohen 1968), ``none`` for names (Cohen 1960).

    Raises:
        ValueError: a value without a number under quadratic weights.
    """
    pairs = kappas(grid(list(zip(a, b, strict=True))), weighting == "quadratic", seed=None)[0]
    return pairs[0, 1].value if (0, 1) in pairs else None


def kappas(
    ratings: Grid, quadratic: bool, seed: int | None, draws: int = DRAWS
) -> tuple[dict[tuple[int, int], Figure], Figure]:
    """Kappa of each pair of raters (by code) that share units, and the mean over pairs.

    The mean counts each pair by the units that both rated.

    Raises:
        ValueError: a value without a number under quadratic weights.
    """
    if quadratic and not np.isfinite(ratings.numbers).all():
        raise ValueError("quadratic weights need a number for each value")
    if not ratings.count:
        return {}, undefined(ratings)
    if not quadratic and len(ratings.categories) > MOST_NAMES:
        return {}, dataclasses.replace(undefined(ratings), why=TOO_MANY)
    left, right = _meetings(ratings)
    ends = np.column_stack([ratings.raters[left], ratings.raters[right]])
    pairs, pair_of = np.unique(ends, axis=0, return_inverse=True)
    pair_of = pair_of.ravel()  # its shape differs between versions of NumPy
    units = ratings.units[left]
    parts = _squares if quadratic else _matches
    columns, scores = parts(ratings, left, right)
    width, count = len(columns[0]), len(pairs)
    # All pairs side by side: first the first column of each pair, then the second of each.
    rows, into = np.repeat(units, width), (pair_of[:, None] + count * np.arange(width)).ravel()
    table = sparse_of(columns.ravel(), rows, into, (ratings.count, count * width))

    def all_pairs(sums: Floats) -> Floats:
        each = sums.reshape(width, count, -1)
        values = scores(each)
        is_rated = np.isfinite(values)
        weight = np.where(is_rated, each[0], 0.0)
        mean = (np.where(is_rated, values, 0.0) * weight).sum(axis=0) / weight.sum(axis=0)
        return np.concatenate([values, mean[None, :]])

    met = sparse_of(np.ones(len(units)), units, pair_of, (ratings.count, count)).toarray() > 0
    met = np.column_stack([met, np.ones(ratings.count, np.bool_)])
    *each, mean = bootstrap(table, all_pairs, ratings.groups, seed, (-1.0, 1.0), met, draws)
    keys = [(int(a), int(b)) for a, b in pairs]
    return dict(zip(keys, each, strict=True)), mean


def _meetings(ratings: Grid) -> tuple[Ints, Ints]:
    """Places of every two ratings of one unit; the first is of the rater of lower code."""
    steps = []
    for step in range(1, int(ratings.sizes.max(initial=0))):
        first = np.flatnonzero(ratings.units[:-step] == ratings.units[step:])
        steps.append((first, first + step))
    left, right = zip(*steps, strict=True)
    return np.concatenate(left), np.concatenate(right)


def _squares(ratings: Grid, left: Ints, right: Ints) -> tuple[Floats, Scores]:
    """Columns of two ratings with numbers, and quadratic kappa of their sums."""
    numbers = ratings.numbers - ratings.numbers.mean()
    a, b = numbers[ratings.codes[left]], numbers[ratings.codes[right]]

    def scores(sums: Floats) -> Floats:
        n, apart, of_a, of_b, squares = sums
        expected = squares - 2 * of_a * of_b / n
        return np.asarray(1 - apart / np.where(expected > ROUNDING * squares, expected, np.nan))

    return np.column_stack([np.ones(len(a)), (a - b) ** 2, a, b, a * a + b * b]), scores


def _matches(ratings: Grid, left: Ints, right: Ints) -> tuple[Floats, Scores]:
    """Columns of two ratings with names, and plain kappa of their sums."""
    indicator = np.eye(len(ratings.categories))
    a, b = ratings.codes[left], ratings.codes[right]
    many = len(indicator)

    def scores(sums: Floats) -> Floats:
        n, same = sums[0], sums[1]
        chance = (sums[2 : 2 + many] * sums[2 + many :]).sum(axis=0) / n
        return np.asarray((same - chance) / (n - chance))

    return np.column_stack([np.ones(len(a)), a == b, indicator[a], indicator[b]]), scores
