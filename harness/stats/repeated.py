"""The same rows measured at several points of a training: changes with their noise.

A change of the mean loss per token is a ratio, of the rows' sums to the rows' tokens; rows are the
sampling units (tokens of one row resemble each other). Its standard error is the linearised one of
Cochran, *Sampling Techniques*, 3rd ed. 1977, section 6.3 (without finite population correction),
with Student's t of n - 1 degrees of freedom. Points are paired by row, so that what makes a row
hard in general drops out.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.stats import student
from harness.stats.groups import ROUNDING, Floats

LEAST_STEPS = 10
"""Values from which the noise of a series can be told by the median of their differences."""
SMALLEST = 1e-6
"""What a loss of 0 counts as where logarithms are taken."""


@dataclass(frozen=True, slots=True)
class Change:
    """An estimate with its noise.

    Attributes:
        value: in nats per token.
        se: its standard error; None for a single row.
        n: rows.
    """

    value: float
    se: float | None
    n: int

    def above_zero(self) -> float:
        """One-sided p of the true value being above 0; 1 where there is no standard error."""
        return 1.0 if self.se is None else student.upper_tail(self.value, self.se, self.n - 1)

    def below_zero(self) -> float:
        """One-sided p of the true value being below 0; 1 where there is no standard error."""
        return 1.0 if self.se is None else student.upper_tail(-self.value, self.se, self.n - 1)


def contrast(sums: Floats, tokens: Floats, weights: Floats) -> Change:
    """A weighted sum of the mean losses at several points, such as one minus another.

    Args:
        sums: (points, rows), of each row's losses over its tokens.
        tokens: (rows,), greater than 0.
        weights: (points,).
    """
    values, count = weights @ sums, len(tokens)
    total = float(tokens.sum())
    ratio = float(values.sum()) / total
    if count < 2:
        return Change(ratio, None, count)
    rest = values - ratio * tokens
    noise = float(np.sqrt(count / (count - 1) * float(rest @ rest))) / total
    size = float(np.abs(weights) @ np.abs(sums).sum(axis=1)) / total
    return Change(ratio, noise if noise > ROUNDING * size else 0.0, count)


@dataclass(frozen=True, slots=True)
class Rise:
    """The greatest rise in a series.

    Attributes:
        start, end: places of the low before it, and of its top.
        z: its size in standard deviations of a difference of two values, on the logarithmic scale.
        p: of a rise of this size anywhere in a series without one (Bonferroni over all pairs).
    """

    start: int
    end: int
    z: float
    p: float


def greatest_rise(series: Floats) -> Rise | None:
    """The greatest rise of a positive, noisy series; None where the noise cannot be told.

    The noise of a loss grows with the loss, so logarithms are compared. Its standard deviation
    comes from differences of neighbours (von Neumann 1941), which a trend hardly enters, by their
    median (times 1.4826: Rousseeuw & Croux 1993) or their 90 % quantile, whichever gives more: few
    jumps hardly enter either. Batches of two kinds, one hard to predict, make many jumps, which are
    noise; the quantile sees them and the median does not.
    """
    if len(series) < LEAST_STEPS:
        return None
    logs = np.log(np.maximum(series, SMALLEST))
    jumps = np.abs(np.diff(logs))
    normal = NormalDist()
    noise = max(float(np.quantile(jumps, q)) / normal.inv_cdf((1 + q) / 2) for q in (0.5, 0.9))
    if noise == 0:
        return None
    lows = np.minimum.accumulate(logs)
    end = int(np.argmax(logs - lows))
    start = int(np.argmin(logs[: end + 1]))
    z = float(logs[end] - logs[start]) / noise
    pairs = len(series) * (len(series) - 1) / 2
    return Rise(start, end, z, min(1.0, pairs * normal.cdf(-z)))
