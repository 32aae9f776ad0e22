"""How many of all rows are right, from a part of them that was drawn at random."""

from __future__ import annotations

import math

MOST = 1_000
"""Rows of a sample: beyond it the sums below leave the numbers that a float holds."""


def share_bounds(right: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """The least and the greatest share that ``right`` of ``n`` do not speak against.

    Each end is wrong with a probability of at most ``alpha`` (Clopper and Pearson, *The use of
    confidence or fiducial limits illustrated in the case of the binomial*, Biometrika 26, 1934).
    Rows that are drawn without being put back vary less, so both ends are on the safe side.

    Raises:
        ValueError: ``n`` is no number of rows that were reviewed.
    """
    if not 0 <= right <= n <= MOST or not n:
        raise ValueError(f"{right} of {n} rows")
    return _least(right, n, alpha), 1 - _least(n - right, n, alpha)


def _least(right: int, n: int, alpha: float) -> float:
    """The share under which ``right`` or more come with the probability ``alpha``."""
    low, high = 0.0, 1.0
    for _ in range(60 if right else 0):
        middle = (low + high) / 2
        at_least = math.fsum(
            math.comb(n, k) * middle**k * (1 - middle) ** (n - k) for k in range(right, n + 1)
        )
        low, high = (middle, high) if at_least < alpha else (low, middle)
    return low
