"""Intervals, paired differences and contrasts, all of them clustered by group.

Rows of one group resemble each other, so the group is the unit that is resampled. Nothing
here knows records or metrics: statistics come as arrays ``(n, k)``, a function turns weighted
sums of them into scores, and groups are one name (or one integer code) per row. Groups are
ordered by name, so the order of rows never matters beyond floating-point rounding.

Every bound is ``value ± t x se`` with ``se`` the standard deviation of the bootstrap over whole
groups, corrected for there being few of them (:func:`small_sample`): for K groups of equal
size by sqrt(K / (K - 1)), with Student's t on K - 1 degrees of freedom (Cameron and Miller, *A
Practitioner's Guide to Cluster-Robust Inference*, 2015, section VI). Without it, bounds are
too narrow for the few dozen groups that a held-out set has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Groups = Sequence[str] | npt.NDArray[np.integer]
Aggregate = Callable[[Floats, Floats], Floats]
"""``(sums (..., k), weights (...)) -> scores (..., m)``."""

_Bounds = tuple[float | None, float | None, float | None]

DRAWS = 2000
_BLOCK = 1 << 20  # weights held at once: 8 MiB
_ROUNDING = 1e-12  # of a score's size: less than this is no spread and no difference


@dataclass(frozen=True, slots=True)
class Interval:
    """One score; ``low``, ``high`` and ``se`` are None where there is no spread to judge by."""

    value: float
    low: float | None
    high: float | None
    se: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of a minus score of b on the same rows; each bound holds at ``level``.

    ``effective`` is the number of equal groups that the groups are worth.
    """

    value: float
    low: float | None
    high: float | None
    se: float | None
    level: float
    n: int
    groups: int
    effective: float


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


def encode(groups: Groups) -> tuple[Ints, int]:
    """Codes ``(n,)`` from 0 to K - 1, in the order of the groups' names, and K.

    An array of integers is recoded too, so that it need not be dense.
    """
    if isinstance(groups, np.ndarray):
        names, codes = np.unique(groups, return_inverse=True)
        return codes.astype(np.intp, copy=False), len(names)
    place = {name: code for code, name in enumerate(sorted(set(groups)))}
    return np.fromiter((place[name] for name in groups), np.intp, len(groups)), len(place)


def group_sums(statistics: Floats, codes: Ints, count: int) -> Floats:
    """Sums ``(K, k)`` over the rows of each group of statistics ``(n, k)``."""
    columns = [np.bincount(codes, column, count) for column in statistics.T]
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


def effective_groups(groups: Groups) -> float:
    """How many equal groups they are worth: ``n^2 / sum of squared sizes`` (Kish)."""
    codes, count = encode(groups)
    sizes = np.bincount(codes, minlength=count)
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def small_sample(sizes: Floats) -> tuple[float, float]:
    """What a variance over groups of these sizes falls short by, and the groups' worth.

    With p the groups' shares of the rows and S the sum of p^2, a mean over rows whose spread
    lies between groups has variance proportional to S, but the squared deviations of the
    groups from that mean add up to ``sum of p^2 (1 - 2p + S)`` only. The ratio is K / (K - 1)
    for equal groups and grows with inequality, as 1 / S falls below K. In simulated loops with
    uneven groups and no progress, plain K and K - 1 called up to 7.4 % improved, this 5.1 %.

    Returns:
        The factor of the variance, and 1 / S; degrees of freedom are one less.
    """
    shares = sizes / sizes.sum()
    squares = float(shares @ shares)
    seen = float(shares**2 @ (1 - 2 * shares + squares))
    return squares / seen, 1 / squares


def weights(count: int, seed: int, draws: int = DRAWS) -> Iterator[Floats]:
    """Multinomial weights ``(block, K)``: how often each draw takes each of K groups.

    Equal ``count``, ``seed`` and ``draws`` give equal weights, which is how all metrics and
    both sides of a comparison share one weight matrix without holding it.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // count)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        taken = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        counts = np.bincount(taken.ravel(), minlength=size * count)
        yield counts.reshape(size, count).astype(np.float64)


def replicates(sums: Floats, seed: int, draws: int = DRAWS) -> Floats:
    """Resampled totals ``(draws, c)`` of group sums ``(K, c)``, any number of columns."""
    return np.concatenate([block @ sums for block in weights(len(sums), seed, draws)])


@np.errstate(all="ignore")  # a score that cannot be had is NaN here, and said so by None
def interval(
    aggregate: Aggregate,
    statistics: Floats,
    groups: Groups,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> list[Interval]:
    """Each of the m scores with its two-sided interval (not clipped to any bounds).

    Args:
        statistics: ``(n, k)`` with n > 0, finite.

    Returns:
        m intervals; without bounds where there are fewer than two groups.
    """
    codes, count = encode(groups)
    table = _with_rows(group_sums(statistics, codes, count), codes, count)
    value = _score(aggregate, _totals(statistics))
    if count < 2:
        return [Interval(float(v), None, None, None) for v in value]
    factor, worth = small_sample(table[:, -1])
    spread = _spread(_score(aggregate, replicates(table, seed, draws)), factor)
    spread = _rounded(spread, _ROUNDING * np.abs(value))
    reach = _t(worth - 1, (1 + level) / 2)
    return [Interval(float(v), *_around(v, s, reach)) for v, s in zip(value, spread, strict=True)]


@np.errstate(all="ignore")
def difference(
    aggregate: Aggregate,
    statistics_a: Floats,
    statistics_b: Floats,
    groups: Groups,
    seed: int,
    level: float = 0.95,
    draws: int = DRAWS,
) -> list[Difference]:
    """Each of the m scores of a minus that of b, paired by row and clustered by group.

    Both sides see the same resampled groups, so what they share cancels, for non-linear
    corpus scores too.

    Args:
        statistics_a, statistics_b: ``(n, k)`` with n > 0; row i of both is one example.
        level: confidence of each one-sided bound.

    Returns:
        m differences; without bounds where there are fewer than two groups.
    """
    if statistics_a.shape != statistics_b.shape:
        raise ValueError("a paired difference needs the same rows on both sides")
    codes, count = encode(groups)
    width = statistics_a.shape[1]
    both = np.hstack([statistics_a, statistics_b])
    table = _with_rows(group_sums(both, codes, count), codes, count)

    def sides(totals: Floats) -> tuple[Floats, Floats]:
        first = np.concatenate([totals[..., :width], totals[..., -1:]], axis=-1)
        return _score(aggregate, first), _score(aggregate, totals[..., width:])

    of_a, of_b = sides(_totals(both))
    noise = _ROUNDING * np.maximum(np.abs(of_a), np.abs(of_b))
    value = _rounded(of_a - of_b, noise)
    n = len(codes)
    if count < 2:
        return [Difference(float(v), None, None, None, level, n, count, count) for v in value]
    factor, worth = small_sample(table[:, -1])
    drawn_a, drawn_b = sides(replicates(table, seed, draws))
    spread = _rounded(_spread(drawn_a - drawn_b, factor), noise)
    reach = _t(worth - 1, level)
    return [
        Difference(float(v), *_around(v, s, reach), level, n, count, worth)
        for v, s in zip(value, spread, strict=True)
    ]


def detectable(se: float, level: float, groups: float, power: float = 0.8) -> float:
    """The smallest true difference whose one-sided bound clears 0 with probability ``power``.

    ``(t_level + t_power) x se``, both quantiles with ``groups`` - 1 degrees of freedom, where
    ``groups`` is the effective number.
    """
    return (_t(groups - 1, level) + _t(groups - 1, power)) * se


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
    noise = _ROUNDING * float(np.abs(values).max())
    gap, se = (0.0 if abs(x) <= noise else x for x in (gap, se))
    reach = _t(df, (1 + level) / 2) * se
    return Contrast(gap, se, gap - reach, gap + reach, _upper(gap, se, df), groups_in, n_in, df)


def benjamini_hochberg(p: Floats) -> Floats:
    """q-values: the false discovery rate at which each p-value would be called.

    Benjamini and Hochberg, *Controlling the False Discovery Rate*, 1995.
    """
    count = len(p)
    order = np.argsort(p, kind="stable")
    raised = p[order] * count / np.arange(1, count + 1)
    q = np.empty(count)
    q[order] = np.minimum(1.0, np.minimum.accumulate(raised[::-1])[::-1])
    return q


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


def _upper(gap: float, se: float, df: float) -> float:
    """One-sided p of a gap above 0."""
    if se == 0:
        return 0.0 if gap > 0 else 1.0
    # SciPy takes a third of a second to load, which a finished run need not wait for.
    from scipy import special

    return float(special.stdtr(df, -gap / se))


def _with_rows(sums: Floats, codes: Ints, count: int) -> Floats:
    """Group sums with the number of rows as one more, last column."""
    return np.column_stack([sums, np.bincount(codes, minlength=count)])


def _totals(statistics: Floats) -> Floats:
    """Exactly rounded sums over the rows, then their number: no order or grouping shows."""
    return np.array([*map(math.fsum, statistics.T), len(statistics)], dtype=np.float64)


def _score(aggregate: Aggregate, totals: Floats) -> Floats:
    """Scores of totals whose last column is the number of rows."""
    return np.asarray(aggregate(totals[..., :-1], totals[..., -1]), dtype=np.float64)


def _spread(scores: Floats, factor: float) -> Floats:
    """Standard errors ``(m,)`` of replicates ``(draws, m)``; not finite if some draw is not."""
    spread: Floats = scores.std(axis=0, ddof=1) * math.sqrt(factor)
    return spread


def _rounded(values: Floats, noise: Floats) -> Floats:
    """Values with those of no more than ``noise`` set to 0."""
    return np.where(np.abs(values) <= noise, 0.0, values)


def _around(value: float, se: float, reach: float) -> _Bounds:
    """Low, high and se, or three None where there is no finite standard error."""
    if not math.isfinite(se) or not math.isfinite(value):
        return None, None, None
    return float(value - reach * se), float(value + reach * se), float(se)


def _t(df: float, probability: float) -> float:
    from scipy import special

    return float(special.stdtrit(df, probability))
