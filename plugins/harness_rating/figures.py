"""A figure of ratings with its interval: the bootstrap that they all share.

Each score is a function of sums over units, so all draws over whole groups are one product of
matrices.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.stats import (
    DRAWS,
    Floats,
    Ints,
    encode,
    share_interval,
    small_sample,
    student,
    weights,
)
from harness.stats.groups import ROUNDING

Scores = Callable[[Floats], Floats]
"""``sums (c, draws) -> scores (m, draws)``; NaN where a score is undefined."""

FEW_GROUPS = 20
_CELLS = 1 << 18  # sums held at once in the bootstrap: 2 MiB, so that they stay in cache
_KEPT = 1 << 22  # weights kept: 4 MiB for each number of groups


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its 95 % interval.

    Attributes:
        value: None where it is undefined.
        low, high: None where there is no interval.
        n: units that it rests on.
        groups: groups that these belong to.
        why: why the value, or its interval, is missing, as the end of a sentence; else empty.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    groups: int = 0
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its fields as JSON has them; a batch has thousands of figures."""
        return {name: getattr(self, name) for name in self.__slots__}


@np.errstate(all="ignore")  # what is undefined is NaN here, and None outside
def bootstrap(
    table: Any,
    scores: Scores,
    groups: Sequence[str],
    seed: int | None,
    bounds: tuple[float, float],
    used: Any = None,
    draws: int = DRAWS,
) -> list[Figure]:
    """Each of m scores of a table's sums with its interval, by resampling whole groups.

    Args:
        table: ``(units, c)`` dense or sparse; ``scores`` takes its sums over units.
        groups: one per unit.
        seed: None for no intervals.
        bounds: least and most that a score can be.
        used: ``(units, m)`` which units each score rests on; all of them by default.
    """
    codes, count = encode(groups)
    table = _sparse(table)
    values = scores(np.asarray(table.sum(axis=0), np.float64).reshape(-1, 1))[:, 0]
    owner = sparse_of(np.ones(len(codes)), codes, np.arange(len(codes)), (count, len(codes)))
    used = np.ones((len(codes), len(values))) if used is None else np.asarray(used, np.float64)
    sizes = owner @ used
    drawn = None
    if seed is not None and count > 1:
        sums = (owner @ table).T.tocsr()
        parts = [scores(part) for part in _drawn(sums, count, seed, draws)]
        drawn = np.concatenate(parts, axis=1)
    return [
        figure(float(value), None if drawn is None else drawn[i], sizes[:, i], bounds)
        for i, value in enumerate(values)
    ]


def _drawn(sums: Any, count: int, seed: int, draws: int) -> Any:
    """Resampled sums ``(c, some draws)``, so many draws at a time that they fit."""
    step = max(16, _CELLS // max(1, sums.shape[0]))
    # All figures of a criterion share their weights: small ones are kept.
    draw = _kept_weights if count * draws <= _KEPT else weights
    for block in draw(count, seed, draws):
        for start in range(0, len(block), step):
            part = block[start : start + step].T.astype(np.float64, order="C")
            yield sums @ part


@functools.lru_cache(maxsize=4)
def _kept_weights(count: int, seed: int, draws: int) -> tuple[Any, ...]:
    return tuple(weights(count, seed, draws))


def figure(
    value: float, drawn: Floats | None, sizes: Floats, bounds: tuple[float, float]
) -> Figure:
    """A value, and ``value ± t x se`` from its draws, cut to its bounds.

    The standard error is corrected for few groups as all of the program's are.

    Args:
        drawn: ``(draws,)``, or None for no interval.
        sizes: ``(K,)`` units of each group that the value rests on.
    """
    sizes = sizes[sizes > 0]
    n, count = int(sizes.sum()), len(sizes)
    if not math.isfinite(value):
        return Figure(None, n=n, groups=count, why="the ratings do not differ")
    value = min(max(value, bounds[0]), bounds[1])
    if drawn is None or count < 2:
        why = "all items belong to one group" if count < 2 else ""
        return Figure(value, n=n, groups=count, why=why)
    if not np.isfinite(drawn).all():
        return Figure(value, n=n, groups=count, why="too few items, or too few that differ")
    factor, worth = small_sample(sizes)
    se = float(drawn.std(ddof=1)) * math.sqrt(factor)
    if se <= ROUNDING * max(1.0, abs(value)):
        return Figure(value, n=n, groups=count, why="all items say the same")
    reach = student.quantile(worth - 1, 0.975) * se
    low, high = max(bounds[0], value - reach), min(bounds[1], value + reach)
    return Figure(value, low, high, n, count)


def share(
    counts: Any,
    groups: Sequence[str],
    seed: int | None,
    used: Any = None,
    draws: int = DRAWS,
) -> Figure:
    """How much of what is counted, from 0 to 1, with its interval by resampling whole groups.

    Where each unit is a group of its own and counts as a whole or not at all, this is a share of
    independent units, with the interval of one.

    Args:
        counts: ``(units, 2)``, what of each unit is so, and what is counted.
        seed, used, draws: as :func:`bootstrap` takes them.
    """
    (found,) = bootstrap(counts, ratio, groups, seed, (0.0, 1.0), used, draws)
    part, whole = np.asarray(counts, np.float64)[np.asarray(counts)[:, 1] != 0].T
    single = found.n == found.groups == len(whole) > 1
    alike = (whole == whole[:1]).all() and np.isin(part, (0.0, *whole[:1])).all()
    if seed is None or not (single and alike):
        return found
    low, high = share_interval(int(np.count_nonzero(part)), found.n)
    return dataclasses.replace(found, low=low, high=high, why="")


def ratio(sums: Floats) -> Floats:
    """One sum over another; the rows of ``sums`` are the numerator and the denominator."""
    return sums[:1] / sums[1:]


def sparse_of(data: Floats, rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    from scipy import sparse

    return sparse.csr_array((np.asarray(data, np.float64), (rows, columns)), shape=shape)


def _sparse(table: Any) -> Any:
    from scipy import sparse

    return sparse.csr_array(table)
