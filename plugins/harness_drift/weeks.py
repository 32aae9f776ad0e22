"""How far the weeks of a reference lie from each other, beyond what their own rows explain.

Shares that wander from week to week about one mean are no news, and permutations of rows do not
know them: to these every week of rows comes from one source. So the error of a look gets what the
weeks of the reference show. A week's mean is taken to follow a first-order autoregression: weeks
at a distance h differ by a variance of ``2 t (1 - r^h)`` beyond that of their rows, which is fitted
to the differences of all pairs (the variogram of an exponential model; Cressie, *Statistics for
spatial data*, 1993, 2.4). Differences of pairs are not pulled down by the mean of few weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness_drift.permuting import Floats, Ints, Mask

LEAST_WEEKS = 8
"""Weeks of the reference from which their spread goes into the error."""
LEAST_GROUPS = 5
"""Groups that a week must have."""
CORRELATIONS = np.arange(0.0, 0.91, 0.1)
"""Of a week with the next one, of which the best is taken."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of rows, and whose rows these are.

    Attributes:
        of: of each row, ``(n,)``, counted in order; NaN where it is not known.
        groups: of each row.
        live: which rows are live, ``(n,)``.
    """

    of: Floats
    groups: Sequence[str]
    live: Mask

    def among(self, rows: Mask) -> Weeks:
        """Those of some of the rows."""
        places = np.flatnonzero(rows)
        groups = [self.groups[at] for at in places.tolist()]
        return Weeks(self.of[places], groups, self.live[places])

    @property
    def counted(self) -> Ints:
        """The weeks of the reference that have groups enough, in order."""
        groups: dict[float, set[str]] = {}
        for week, group, live in zip(self.of.tolist(), self.groups, self.live, strict=True):
            if not live and not np.isnan(week):
                groups.setdefault(week, set()).add(group)
        return np.array(sorted(w for w, own in groups.items() if len(own) >= LEAST_GROUPS), int)


@dataclass(frozen=True, slots=True)
class Spread:
    """What weeks add to the error of a difference between live rows and the reference.

    Attributes:
        variance: of each column's difference, ``(k,)``.
        degrees: of freedom that it is known with.
    """

    variance: Floats
    degrees: int

    def differences(self, count: int) -> Floats:
        """So many times what weeks may add to a difference, ``(count, k)``: always the same.

        The variance is known from few weeks, so each draw takes another one: a multivariate t.
        """
        draw = np.random.default_rng(1)
        normal = draw.standard_normal((count, len(self.variance)))
        sure = self.degrees / draw.chisquare(self.degrees, (count, 1))
        return np.asarray(normal * np.sqrt(self.variance * sure))

    def distances(self, dealt: Floats) -> Floats:
        """What weeks may add to the squared lengths of differences ``(count, k)``, ``(count,)``."""
        more = self.differences(len(dealt))
        return np.asarray(((2 * dealt + more) * more).sum(axis=1))


def spread(values: Floats, weeks: Weeks) -> Spread | None:
    """Of the means of columns ``(n, k)``, NaN where a row has no value; None: too few weeks.

    A column has at least the variance that all have in common, as a share of that of its rows:
    of many columns some seem to be still by chance.
    """
    counted = weeks.counted
    if len(counted) < LEAST_WEEKS:
        return None
    parts = [_mean(values, weeks.groups, np.flatnonzero(~weeks.live & (weeks.of == week)))
             for week in counted.tolist()]  # fmt: skip
    x, error = (np.array(side) for side in zip(*parts, strict=True))
    firsts, seconds, apart = _pairs(counted)
    beyond = ((x[firsts] - x[seconds]) ** 2 - error[firsts] - error[seconds]) / 2
    known = np.where(np.isnan(values[~weeks.live]), 0.0, 1.0)
    total = _variance(np.nan_to_num(values[~weeks.live]), known)
    varied = total > 0
    shares = np.where(np.isnan(beyond), 0.0, beyond)[:, varied] / total[varied]
    correlation, common = _fitted(shares.mean(axis=1), apart) if varied.any() else (0.0, 0.0)
    sill = np.maximum(_sill(beyond, apart, correlation), common * total)
    return Spread(np.maximum(sill, 0.0) * _factor(weeks, correlation), len(counted) - 1)


def _variance(values: Floats, known: Floats) -> Floats:
    """Of the rows of each column that are known, ``(k,)``; 0 where there is none."""
    n = np.maximum(known.sum(axis=0), 1)
    mean = (values * known).sum(axis=0) / n
    return np.asarray((known * (values - mean) ** 2).sum(axis=0) / n)


def _mean(values: Floats, groups: Sequence[str], rows: Ints) -> tuple[Floats, Floats]:
    """A week's means, and their variances by groups: both ``(k,)``, NaN where they are unknown."""
    present = ~np.isnan(values[rows])
    values = np.where(present, values[rows], 0.0)
    codes = np.unique([groups[at] for at in rows.tolist()], return_inverse=True)[1]
    count = int(codes.max()) + 1
    sums, sizes = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
    np.add.at(sums, codes, values)
    np.add.at(sizes, codes, present)
    n = sizes.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(axis=0) / n
        residuals = sums - sizes * mean
        own = (sizes > 0).sum(axis=0)
        error = (residuals**2).sum(axis=0) / n**2 * own / (own - 1)
    return np.where(own > 1, mean, np.nan), np.where(own > 1, error, np.nan)


def _pairs(counted: Ints) -> tuple[Ints, Ints, Ints]:
    """Each two weeks, by their places, and how far they are apart."""
    firsts, seconds = np.triu_indices(len(counted), 1)
    return firsts, seconds, counted[seconds] - counted[firsts]


def _fitted(beyond: Floats, apart: Ints) -> tuple[float, float]:
    """The correlation of neighbours that fits best, and the variance of a week's mean with it.

    Args:
        beyond: half the squared difference of each pair, less the error of its rows.
    """
    best, left = (0.0, 0.0), np.inf
    for correlation in CORRELATIONS.tolist():
        sill = float(_sill(beyond, apart, correlation))
        missed = float(np.nansum((beyond - sill * (1 - correlation**apart)) ** 2))
        if missed < left - 1e-15 and sill > 0:
            best, left = (correlation, sill), missed
    return best


def _sill(beyond: Floats, apart: Ints, correlation: float) -> Floats:
    """The variance of a week's mean, by least squares."""
    rise = 1 - correlation ** apart.astype(np.float64)
    weight = rise if beyond.ndim == 1 else rise[:, None]
    there = ~np.isnan(beyond)
    squares = np.where(there, weight**2, 0.0).sum(axis=0)
    known = np.where(there, beyond, 0.0)
    return np.asarray((known * weight).sum(axis=0) / np.where(squares > 0, squares, np.inf))


def _factor(weeks: Weeks, correlation: float) -> float:
    """The variance of a difference of sides, in variances of one week's mean.

    What live rows share with the weeks before them is not counted on: it makes the variance less.
    """
    return sum(_of_mean(weeks.of[side], correlation) for side in (weeks.live, ~weeks.live))


def _of_mean(weeks: Floats, correlation: float) -> float:
    known = weeks[~np.isnan(weeks)]
    if not len(known):
        return 1.0  # one week, for all that is known
    different, counts = np.unique(known, return_counts=True)
    shares = counts / len(known)
    alike = np.power(correlation, np.abs(different[:, None] - different))
    return float(shares @ alike @ shares)
