"""One share of independent rows: its interval, from how many passed."""

from __future__ import annotations

import math

_Z = 1.959963984540054  # of 95 %, two-sided
_POISSON = (0.0, 0.0512932943875505, 0.355361510698662, 0.817691447163954)
"""Least expected numbers of rows under which 0, 1, 2, 3 or more come with a chance of 5 %."""


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, of n independent rows of which ``hits`` have what is counted.

    Wilson's (*Probable inference, the law of succession, and statistical inference*, 1927). With
    few rows on a side it reaches too short there: where one row of many is expected, it would miss
    the share in up to 16 % of the samples. The end of up to three rows is therefore that of the
    Poisson law (after Brown, Cai and DasGupta, *Interval Estimation for a Binomial Proportion*,
    Statistical Science 16, 2001, section 4.1.1).

    Raises:
        ValueError: ``hits`` is no number of n rows, or there are none.
    """
    if not 0 <= hits <= n or not n:
        raise ValueError(f"{hits} of {n} rows")
    return _low(hits, n), 1 - _low(n - hits, n)


def _low(hits: int, n: int) -> float:
    if hits < len(_POISSON):
        return _POISSON[hits] / n
    share, width = hits / n, _Z**2 / n
    middle = share + width / 2
    return (middle - math.sqrt(width * share * (1 - share) + width**2 / 4)) / (1 + width)
