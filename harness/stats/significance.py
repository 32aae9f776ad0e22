"""Tests of two systems on the same rows, and corrections for many tests at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.stats.groups import (
    ROUNDING,
    Aggregate,
    Floats,
    Groups,
    encode,
    group_sums,
    score,
    totals,
)
from harness.stats.resampling import Counts, product, random_bytes

SHUFFLES = 10_000
_CELLS = 1 << 22  # swaps drawn at once: 4 MiB; the swaps of a seed do not depend on it


@np.errstate(all="ignore")  # a score that cannot be computed is NaN here, and said so by None
def randomisation(
    aggregate: Aggregate,
    statistics_a: Floats,
    statistics_b: Floats,
    groups: Groups,
    seed: int,
    draws: int = SHUFFLES,
) -> list[float | None]:
    """Two-sided p of each of the m scores by approximate randomisation.

    If the systems are alike, it is chance which of them gave which answer. So each draw swaps
    the two sides of about half of the groups, whole groups together, and p is the share of
    draws, the one at hand counted as one of them, in which the scores lie at least as far apart
    (Noreen, *Computer-Intensive Methods for Testing Hypotheses*, 1989; Riezler and Maxwell, *On
    Some Pitfalls in Automatic Evaluation and Significance Testing for MT*, 2005). Differences
    that are equal but for rounding count as equal.

    Args:
        statistics_a, statistics_b: ``(n, k)`` with n > 0; row i of both is one example.

    Returns:
        m times ``(hits + 1) / (draws + 1)``; None where a score cannot be computed in some draw.

    Raises:
        ValueError: the two sides are of different shape.
    """
    if statistics_a.shape != statistics_b.shape:
        raise ValueError("a paired test needs the same rows on both sides")
    codes, count = encode(groups)
    apart = group_sums(statistics_a, codes, count) - group_sums(statistics_b, codes, count)
    moved = np.concatenate([product(swaps, apart) for swaps in _swaps(count, seed, draws)])
    moved = np.column_stack([moved, np.zeros(draws)])  # a swap leaves the number of rows alone
    of_a, of_b = totals(statistics_a), totals(statistics_b)
    seen = np.abs(score(aggregate, of_a) - score(aggregate, of_b))
    drawn_a, drawn_b = score(aggregate, of_a - moved), score(aggregate, of_b + moved)
    noise = ROUNDING * np.maximum(np.abs(drawn_a), np.abs(drawn_b)).max(axis=0)
    drawn = np.abs(drawn_a - drawn_b)
    hits = np.count_nonzero(drawn >= seen - noise, axis=0)
    finite = np.isfinite(seen) & np.isfinite(drawn).all(axis=0)
    return [
        (int(hit) + 1) / (draws + 1) if there else None
        for hit, there in zip(hits, finite, strict=True)
    ]


def holm(p: Floats | Sequence[float | None]) -> Floats:
    """Adjusted p-values ``(m,)``: each at or below alpha is called, all errors at alpha together.

    The smallest of m is multiplied by m, the next by m - 1, and so on, none below the one before
    (Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, 1979). A p that cannot be
    had (None or NaN) stays NaN and does not count towards m.
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    finite = np.flatnonzero(~np.isnan(values))
    order = finite[np.argsort(values[finite], kind="stable")]
    raised = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raised))
    return adjusted


def benjamini_hochberg(p: Floats | Sequence[float | None]) -> Floats:
    """q-values ``(m,)``: the false discovery rate at which each p-value would be called.

    Benjamini and Hochberg, *Controlling the False Discovery Rate*, 1995. A p that cannot be had
    (None or NaN) stays NaN and does not count towards m.
    """
    values = np.asarray(p, dtype=np.float64)
    q = np.full(values.shape, np.nan)
    finite = np.flatnonzero(~np.isnan(values))
    order = finite[np.argsort(values[finite], kind="stable")]
    raised = values[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(1.0, np.minimum.accumulate(raised[::-1])[::-1])
    return q


def _swaps(count: int, seed: int, draws: int) -> Iterator[Counts]:
    """Fair coins ``(block, K)``, 0 or 1: whether a draw swaps a group."""
    rng = np.random.Generator(np.random.PCG64(seed))
    width = -(-count // 64) * 8  # whole words for each draw, so that blocks do not show
    block = max(1, _CELLS // count)
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        coins = np.frombuffer(random_bytes(rng, rows * width), np.uint8).reshape(rows, width)
        yield np.unpackbits(coins, axis=1, count=count)
