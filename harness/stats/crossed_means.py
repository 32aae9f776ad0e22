"""Differences over seeds and groups of rows, both drawn at random: the mean with its bounds.

Each of S trainings with other seeds answers the same rows, which lie in G groups. With seeds and
groups as crossed random factors and one value in each cell, the mean squares have the expectations
``MS_seed = e + G s``, ``MS_group = e + S g`` and ``MS_residual = e``, and the variance of the mean,
``s/S + g/G + e/(S G)``, is estimated without bias by

    (MS_seed + MS_group - MS_residual) / (S G)

(Dorfman, Berbaum and Metz, *Receiver operating characteristic rating analysis*, Investigative
Radiology 27, 1992, whose readers and cases are seeds and groups here). Its degrees of freedom are
Satterthwaite's (*An approximate distribution of estimates of variance components*, Biometrics
Bulletin 2, 1946) for that sum of mean squares. The estimate may come out below what the residual
alone gives; then that is taken, the least it can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats import student
from harness.stats.groups import Aggregate, Floats, Groups, encode, group_sums, score, with_rows

FAR_OFF = 0.05
"""With which chance any of normal values is called far off."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """A mean over seeds and groups.

    Attributes:
        se: None where the values do not spread.
        df: of the bounds.
        of_seeds: share of the variance of the mean that is due to seeds, from 0 to 1.
    """

    value: float
    se: float | None
    df: float | None
    seeds: int
    groups: int
    of_seeds: float | None = None

    def bounds(self, level: float) -> tuple[float | None, float | None]:
        """The one-sided bounds at ``level`` each."""
        if self.se is None or self.df is None:
            return None, None
        reach = student.quantile(self.df, level) * self.se
        return self.value - reach, self.value + reach


def crossed(cells: Floats) -> Crossed:
    """The mean of cells ``(S, G)``, finite: one value for each seed and group.

    Of a score that is no mean over rows they are its pseudo-values (:func:`pseudo_values`).

    Raises:
        ValueError: there is one seed, or one group.
    """
    seeds, count = cells.shape
    if seeds < 2 or count < 2:
        raise ValueError("a variance over seeds and groups needs two of each")
    mean = float(cells.mean())
    by_seed, by_group = cells.mean(axis=1, keepdims=True), cells.mean(axis=0, keepdims=True)
    rest = cells - by_seed - by_group + mean
    of_seed = count * float(((by_seed - mean) ** 2).sum()) / (seeds - 1)
    of_group = seeds * float(((by_group - mean) ** 2).sum()) / (count - 1)
    residual = float((rest**2).sum()) / ((seeds - 1) * (count - 1))
    total = max(of_seed + of_group - residual, residual)
    scale = float(np.abs(cells).max()) or 1.0
    if total <= (1e-12 * scale) ** 2:
        return Crossed(mean, None, None, seeds, count)
    weights = (
        of_seed**2 / (seeds - 1)
        + of_group**2 / (count - 1)
        + residual**2 / ((seeds - 1) * (count - 1))
    )
    return Crossed(
        mean,
        math.sqrt(total / (seeds * count)),
        max(1.0, total**2 / weights),
        seeds,
        count,
        min(1.0, max(0.0, of_seed - residual) / total),
    )


def far_off(values: Sequence[float]) -> int | None:
    """The place of the value that lies far off the others, by Grubbs's test at 5 %; mostly None.

    F. E. Grubbs, *Procedures for detecting outlying observations in samples*, Technometrics 11,
    1969, two-sided: the largest distance from the mean in standard deviations, of n normal values.

    Args:
        values: finite; with fewer than three, none is far off.
    """
    given = np.asarray(values, dtype=np.float64)
    count = len(given)
    if count < 3 or not given.std() > 1e-12 * float(np.abs(given).max()):
        return None
    distances = np.abs(given - given.mean()) / given.std(ddof=1)
    t = student.quantile(count - 2, 1 - FAR_OFF / (2 * count))
    limit = (count - 1) / math.sqrt(count) * math.sqrt(t**2 / (count - 2 + t**2))
    place = int(distances.argmax())
    return place if distances[place] > limit else None


@np.errstate(all="ignore")
def pseudo_values(aggregate: Aggregate, statistics: Floats, groups: Groups) -> Floats:
    """The jackknife's pseudo-values ``(G, m)`` of m scores, one for each group left out.

    Their mean is the score but for the jackknife's correction; of a plain mean over groups of one
    size they are the groups' own means (Efron and Tibshirani, *An Introduction to the Bootstrap*,
    1993, section 11.3).

    Args:
        statistics: ``(n, k)``, finite.
        groups: of the n rows; two at least.
    """
    codes, count = encode(groups)
    table = with_rows(group_sums(statistics, codes, count), codes, count)
    whole = table.sum(axis=0)
    full, without = score(aggregate, whole), score(aggregate, whole - table)
    return count * full - (count - 1) * without
