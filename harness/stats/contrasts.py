"""A slice against the rest: a two-sample comparison, clustered by group."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats import student
from harness.stats.groups import ROUNDING, Floats, Groups, encode


@dataclass(frozen=True, slots=True)
class Contrast:
    """A slice against the rest.

    Attributes:
        gap: mean of the rest minus mean of the slice.
        se, low, high: standard error and two-sided interval; None with fewer than two
            groups on either side.
        p: one-sided, small where the slice's mean is lower; 1 where it cannot be had.
        df: degrees of freedom of the t distribution used; 0 where it cannot be had.
    """

    gap: float
    se: float | None
    low: float | None
    high: float | None
    p: float
    groups_inside: int
    n_inside: int
    df: float


def contrast(
    values: Floats, inside: npt.NDArray[np.bool_], groups: Groups, level: float = 0.95
) -> Contrast:
    """The mean of the rest minus the mean of the slice, clustered by group.

    Each row's influence on the gap is summed within its group, whichever side the row is on,
    so groups may lie across the border. Variance and degrees of freedom are those of Bell and
    McCaffrey (*Bias reduction in standard errors for linear regression with multi-stage
    samples*, 2002) for rows that are independent otherwise; a slice of few groups therefore
    gets few degrees of freedom, however large the rest is.

    Args:
        values: ``(n,)`` finite; lower = the slice is weaker, so negate a loss.
        inside: ``(n,)``, True for rows of the slice.

    Raises:
        ValueError: one side is empty, or a value is not finite.
    """
    n_in = int(np.count_nonzero(inside))
    n_out = len(values) - n_in
    if not n_in or not n_out:
        raise ValueError("a contrast needs rows inside and outside of the slice")
    if not np.all(np.isfinite(values)):
        raise ValueError("a contrast needs finite values: leave rows out that are not scored")
    codes, count = encode(groups)
    rows_in = np.bincount(codes, inside, count)
    rows_out = np.bincount(codes, ~inside, count)
    sums_in = np.bincount(codes, np.where(inside, values, 0.0), count)
    sums_out = np.bincount(codes, np.where(inside, 0.0, values), count)
    mean_in, mean_out = sums_in.sum() / n_in, sums_out.sum() / n_out
    gap = float(mean_out - mean_in)
    groups_in = int(np.count_nonzero(rows_in))
    if min(groups_in, int(np.count_nonzero(rows_out))) < 2:
        return Contrast(gap, None, None, None, 1.0, groups_in, n_in, 0.0)
    pull = (sums_out - mean_out * rows_out) / n_out - (sums_in - mean_in * rows_in) / n_in
    scale, df = _bell_mccaffrey(rows_in / n_in, rows_out / n_out, n_in, n_out)
    se = math.sqrt(scale * float(pull @ pull))
    noise = ROUNDING * float(np.abs(values).max())
    gap, se = (0.0 if abs(x) <= noise else x for x in (gap, se))
    reach = student.quantile(df, (1 + level) / 2) * se
    p = student.upper_tail(gap, se, df)
    return Contrast(gap, se, gap - reach, gap + reach, p, groups_in, n_in, df)


def _bell_mccaffrey(
    share_in: Floats, share_out: Floats, n_in: int, n_out: int
) -> tuple[float, float]:
    """What the sum of squared pulls is short by, and its degrees of freedom.

    With a the weights of the rows in the gap and H the projection on the two means, the sum of
    squares is y'GG'y with G'G = diag(a_g'a_g) - pp'/n_in - qq'/n_out, where p and q are each
    group's shares of the two sides. Its expectation is tr(G'G) per unit of row variance
    (against a'a = 1/n_in + 1/n_out), its degrees tr(G'G)^2 / tr((G'G)^2).
    """
    own = share_in / n_in + share_out / n_out
    p2, q2, pq = share_in @ share_in, share_out @ share_out, share_in @ share_out
    trace = (1 - p2) / n_in + (1 - q2) / n_out
    square = own @ own - 2 * (own @ share_in**2) / n_in - 2 * (own @ share_out**2) / n_out
    square += (p2 / n_in) ** 2 + (q2 / n_out) ** 2 + 2 * pq**2 / (n_in * n_out)
    return float((1 / n_in + 1 / n_out) / trace), float(trace**2 / square)
