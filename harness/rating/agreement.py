"""How far raters agree: Krippendorff's alpha, kappa, raw agreement, with intervals.

Pure functions on arrays. Ratings come as a table of units (items) by raters, None where a rater
gave none, and are turned into a :class:`Grid` once. Each coefficient is a function of sums over
units, so all draws of the bootstrap over whole groups are one product of matrices.

Sources: K. Krippendorff, *Computing Krippendorff's Alpha-Reliability*, 2011; A. F. Hayes and
K. Krippendorff, *Answering the Call for a Standard Reliability Measure for Coding Data*, 2007;
J. Cohen, *A Coefficient of Agreement for Nominal Scales*, 1960, and *Weighted Kappa*, 1968;
R. J. Light, *Measures of Response Agreement for Qualitative Data*, 1971 (the mean over pairs).

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from harness.stats import DRAWS, Floats, Ints, encode, small_sample, student, weights
from harness.stats.groups import ROUNDING

Kind = Literal["nominal", "ordinal", "interval", "sets"]
Scores = Callable[[Floats], Floats]
"""``sums (c, draws) -> scores (m, draws)``; NaN where a score cannot be had."""

FEW_GROUPS = 20
_EXACT_RANKS = 16  # ordinal categories up to which each draw gets ranks of its own
_MOST_NAMES = 500  # values without order up to which their distances are held as a matrix
_TOO_MANY = f"there are more than {_MOST_NAMES} different values"
_CELLS = 1 << 22  # sums held at once in the bootstrap: 32 MiB


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its 95 % interval.

    Attributes:
        value: None where it cannot be had.
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


@dataclass(frozen=True, slots=True)
class Grid:
    """Ratings of one criterion in long form; only units with two ratings or more.

    Attributes:
        units, raters, codes: ``(n,)`` of each rating, sorted by unit, then rater; units count
            from 0 to U - 1.
        categories: values in use, ordered; ``numbers`` ``(V,)`` are theirs, NaN without.
        groups: ``(U,)`` group of each unit.
        names: raters by their code.
        why: why there are no units, or no differences, else empty.
    """

    units: Ints
    raters: Ints
    codes: Ints
    categories: tuple[Hashable, ...]
    numbers: Floats
    groups: tuple[str, ...]
    names: tuple[str, ...]
    why: str

    @property
    def count(self) -> int:
        return len(self.groups)

    @property
    def sizes(self) -> Ints:
        """``(U,)`` ratings of each unit."""
        return np.bincount(self.units, minlength=self.count)


def grid(
    values: Sequence[Sequence[Any]],
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Grid:
    """The grid of a table ``(units, raters)``; None and NaN are missing, lists are sets.

    Args:
        groups: one per row; each row is its own group by default.
        names: one per column.
    """
    cells = [
        (row, column, _category(value))
        for row, line in enumerate(values)
        for column, value in enumerate(line)
        if not _missing(value)
    ]
    groups = [str(row) for row in range(len(values))] if groups is None else groups
    names = (
        names if names is not None else [str(i) for i in range(max(map(len, values), default=0))]
    )
    return from_cells(cells, groups, names)


def from_cells(
    cells: Sequence[tuple[int, int, Hashable]],
    groups: Sequence[str],
    names: Sequence[str],
    number: Callable[[Any], float] | None = None,
) -> Grid:
    """The grid of ratings ``(unit, rater, value)``: codes into groups and names, no None.

    Args:
        number: what a value counts on an ordered scale, NaN for nothing.
    """
    number = number or _number
    ratings = Counter(unit for unit, _, _ in cells)
    paired = sorted((u, r, i) for i, (u, r, _) in enumerate(cells) if ratings[u] > 1)
    kept = [cells[i] for _, _, i in paired]
    categories = tuple(
        sorted({value for _, _, value in kept}, key=lambda value: _order(value, number))
    )
    place = {value: code for code, value in enumerate(categories)}
    units, codes = np.unique([u for u, _, _ in kept], return_inverse=True)
    return Grid(
        units=codes.astype(np.intp),
        raters=np.array([r for _, r, _ in kept], np.intp),
        codes=np.array([place[value] for _, _, value in kept], np.intp),
        categories=categories,
        numbers=np.array([number(value) for value in categories], np.float64),
        groups=tuple(groups[int(u)] for u in units),
        names=tuple(names),
        why=_why(len(cells), {r for _, r, _ in cells}, categories),
    )


def alpha(values: Sequence[Sequence[Any]], kind: Kind) -> float | None:
    """Krippendorff's alpha of a table ``(units, raters)``; None where it is undefined.

    Args:
        kind: ``nominal``, ``ordinal`` and ``interval`` as in Krippendorff (2011); ``sets``
            takes lists of choices, as far apart as 1 - |common| / |chosen by either|.

    Raises:
        ValueError: a value without a number on an ordinal or interval scale.
    """
    return alpha_of(grid(values), kind, seed=None).value


def alpha_of(given: Grid, kind: Kind, seed: int | None, draws: int = DRAWS) -> Figure:
    """Alpha with its interval; no interval without a seed."""
    if given.why:
        return _undefined(given)
    if kind in ("nominal", "sets") and len(given.categories) > _MOST_NAMES:
        return dataclasses.replace(_undefined(given), why=_TOO_MANY)
    table, scores = _alpha_parts(given, kind)
    (found,) = bootstrap(table, scores, given.groups, seed, (-math.inf, 1.0), draws=draws)
    return found


def raw_of(given: Grid, seed: int | None, draws: int = DRAWS) -> Figure:
    """Share of pairs of ratings of one unit that are the same."""
    if not given.count:
        return _undefined(given)
    counts, sizes = _counts(given), given.sizes
    same = np.asarray(counts.multiply(counts - counts.sign()).sum(axis=1)).ravel()
    table = np.column_stack([same, sizes * (sizes - 1.0)])
    (found,) = bootstrap(table, ratio, given.groups, seed, (0.0, 1.0), draws=draws)
    return found


def _undefined(given: Grid) -> Figure:
    return Figure(None, n=given.count, groups=len(set(given.groups)), why=given.why)


# -- parts of alpha: columns that add up over units, and the coefficient of their sums ---------


def _alpha_parts(given: Grid, kind: Kind) -> tuple[Any, Scores]:
    if kind in ("ordinal", "interval") and not np.isfinite(given.numbers).all():
        raise ValueError(f"an {kind} scale needs a number for each value")
    if kind == "interval":
        return _moments(given, given.numbers)
    counts = _counts(given)
    if kind == "nominal":
        return _by_distance(given, counts, 1.0 - np.eye(len(given.categories)))
    if kind == "sets":
        return _by_distance(given, counts, _set_distances(given.categories))
    if len(given.categories) <= _EXACT_RANKS:
        return _ordinal(given, counts.toarray())
    return _moments(given, _midranks(np.asarray(counts.sum(axis=0)).ravel()))


def _by_distance(given: Grid, counts: Any, apart: Floats) -> tuple[Floats, Scores]:
    """Any distance between categories, as a matrix ``(V, V)``."""
    seen = np.asarray(counts.multiply(counts @ apart).sum(axis=1)).ravel() / (given.sizes - 1)

    def scores(sums: Floats) -> Floats:
        each = sums[1:]
        expected = (apart @ each * each).sum(axis=0) / (each.sum(axis=0) - 1)
        return _row(1 - sums[0] / expected)

    return np.column_stack([seen, counts.toarray()]), scores


def _moments(given: Grid, numbers: Floats) -> tuple[Floats, Scores]:
    """Squared differences of numbers, through sums of them and of their squares."""
    values = numbers[given.codes]
    values = values - values.mean()  # no digits lost where all lie far from 0
    sizes = given.sizes.astype(np.float64)
    first = np.bincount(given.units, values, given.count)
    second = np.bincount(given.units, values**2, given.count)
    deviations = values - (first / sizes)[given.units]
    within = np.bincount(given.units, deviations**2, given.count)
    seen = 2 * sizes * within / (sizes - 1)

    def scores(sums: Floats) -> Floats:
        apart, total, one, two = sums
        expected = 2 * (total * two - one**2) / (total - 1)
        return _row(1 - apart / np.where(expected > ROUNDING * two, expected, np.nan))

    return np.column_stack([seen, sizes, first, second]), scores


def _ordinal(given: Grid, counts: Floats) -> tuple[Floats, Scores]:
    """Krippendorff's ordinal distance is the squared difference of mid-ranks.

    The ranks are those of the sample, so each draw of the bootstrap has its own.
    """
    low, high = np.triu_indices(counts.shape[1], 1)
    met = counts[:, low] * counts[:, high] / (given.sizes - 1.0)[:, None]

    def scores(sums: Floats) -> Floats:
        pairs, each = sums[: len(low)], sums[len(low) :]
        ranks = _midranks(each)
        apart = (ranks[low] - ranks[high]) ** 2
        seen = (pairs * apart).sum(axis=0)
        chance = (each[low] * each[high] * apart).sum(axis=0)
        return _row(1 - seen * (each.sum(axis=0) - 1) / chance)

    return np.hstack([met, counts]), scores


def _row(scores: Any) -> Floats:
    return np.asarray(scores, np.float64)[None, :]


def _midranks(counts: Floats) -> Floats:
    """Middle rank ``(V, ...)`` of each category, from how often each was used."""
    ranks: Floats = np.cumsum(counts, axis=0) - counts / 2
    return ranks


def _set_distances(sets: Sequence[Any]) -> Floats:
    """1 - |common| / |chosen by either| of each two sets; two empty ones are equal."""
    choices = sorted({choice for chosen in sets for choice in chosen})
    inside = np.array([[choice in chosen for choice in choices] for chosen in sets], np.float64)
    inside = inside.reshape(len(sets), len(choices))
    common = inside @ inside.T
    each = inside.sum(axis=1)
    either = each[:, None] + each[None, :] - common
    near = np.divide(common, either, out=np.ones_like(common), where=either > 0)
    return np.asarray(1.0 - near)


# -- kappa --------------------------------------------------------------------------------------


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
    given: Grid, quadratic: bool, seed: int | None, draws: int = DRAWS
) -> tuple[dict[tuple[int, int], Figure], Figure]:
    """Kappa of each pair of raters (by code) that share units, and the mean over pairs.

    The mean counts each pair by the units that both rated.

    Raises:
        ValueError: a value without a number under quadratic weights.
    """
    if quadratic and not np.isfinite(given.numbers).all():
        raise ValueError("quadratic weights need a number for each value")
    if not given.count:
        return {}, _undefined(given)
    if not quadratic and len(given.categories) > _MOST_NAMES:
        return {}, dataclasses.replace(_undefined(given), why=_TOO_MANY)
    left, right = _meetings(given)
    ends = np.column_stack([given.raters[left], given.raters[right]])
    pairs, which = np.unique(ends, axis=0, return_inverse=True)
    which = which.ravel()
    units = given.units[left]
    parts = _squares if quadratic else _matches
    columns, scores = parts(given, left, right)
    width, made = len(columns[0]), len(pairs)
    rows, into = np.repeat(units, width), (which[:, None] + made * np.arange(width)).ravel()
    table = _sparse(columns.ravel(), rows, into, (given.count, made * width))

    def all_pairs(sums: Floats) -> Floats:
        each = sums.reshape(width, made, -1)
        found = scores(each)
        known = np.isfinite(found)
        share = np.where(known, each[0], 0.0)
        mean = (np.where(known, found, 0.0) * share).sum(axis=0) / share.sum(axis=0)
        return np.concatenate([found, mean[None, :]])

    met = _sparse(np.ones(len(units)), units, which, (given.count, made)).toarray() > 0
    met = np.column_stack([met, np.ones(given.count, np.bool_)])
    *each, mean = bootstrap(table, all_pairs, given.groups, seed, (-1.0, 1.0), met, draws)
    keys = [(int(a), int(b)) for a, b in pairs]
    return dict(zip(keys, each, strict=True)), mean


def _meetings(given: Grid) -> tuple[Ints, Ints]:
    """Places of every two ratings of one unit; the first is of the rater of lower code."""
    found = []
    for step in range(1, int(given.sizes.max(initial=0))):
        first = np.flatnonzero(given.units[:-step] == given.units[step:])
        found.append((first, first + step))
    left, right = zip(*found, strict=True)
    return np.concatenate(left), np.concatenate(right)


def _squares(given: Grid, left: Ints, right: Ints) -> tuple[Floats, Scores]:
    """Columns of two ratings with numbers, and quadratic kappa of their sums."""
    numbers = given.numbers - given.numbers.mean()
    a, b = numbers[given.codes[left]], numbers[given.codes[right]]

    def scores(sums: Floats) -> Floats:
        n, apart, of_a, of_b, two = sums
        expected = two - 2 * of_a * of_b / n
        return np.asarray(1 - apart / np.where(expected > ROUNDING * two, expected, np.nan))

    return np.column_stack([np.ones(len(a)), (a - b) ** 2, a, b, a * a + b * b]), scores


def _matches(given: Grid, left: Ints, right: Ints) -> tuple[Floats, Scores]:
    """Columns of two ratings with names, and plain kappa of their sums."""
    one = np.eye(len(given.categories))
    a, b = given.codes[left], given.codes[right]
    many = len(one)

    def scores(sums: Floats) -> Floats:
        n, same = sums[0], sums[1]
        chance = (sums[2 : 2 + many] * sums[2 + many :]).sum(axis=0) / n
        return np.asarray((same - chance) / (n - chance))

    return np.column_stack([np.ones(len(a)), a == b, one[a], one[b]]), scores


# -- the bootstrap ------------------------------------------------------------------------------


@np.errstate(all="ignore")  # what cannot be had is NaN here, and is said so by None
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
    table = _sparse_of(table)
    values = scores(np.asarray(table.sum(axis=0), np.float64).reshape(-1, 1))[:, 0]
    owner = _sparse(np.ones(len(codes)), codes, np.arange(len(codes)), (count, len(codes)))
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
    step = max(1, _CELLS // max(1, sums.shape[0]))
    for block in weights(count, seed, draws):
        for start in range(0, len(block), step):
            part = block[start : start + step].T.astype(np.float64, order="C")
            yield sums @ part


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


def ratio(sums: Floats) -> Floats:
    """One sum over another; the rows of ``sums`` are the numerator and the denominator."""
    return sums[:1] / sums[1:]


# -- values -------------------------------------------------------------------------------------


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _category(value: Any) -> Hashable:
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(sorted({str(choice) for choice in value}))
    return value  # type: ignore[no-any-return]


def _number(value: Hashable) -> float:
    return float(value) if isinstance(value, (bool, int, float)) else math.nan


def _order(value: Hashable, number: Callable[[Any], float]) -> tuple[int, float, str]:
    place = number(value)
    return (1, 0.0, repr(value)) if math.isnan(place) else (0, place, "")


def _why(ratings: int, raters: set[int], categories: Sequence[Hashable]) -> str:
    if not ratings:
        return "there are no ratings"
    if len(raters) < 2:
        return "there is only one rater"
    if not categories:
        return "no item has two ratings"
    if len(categories) == 1:
        return f"everyone chose {shown(categories[0])}"
    return ""


def shown(value: Any, limit: int = 40) -> str:
    """A value in a sentence: one harmless line; what people wrote is in quotes."""
    from harness.text import one_line

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return " + ".join(shown(part, limit) for part in value) or "nothing"
    return f'"{one_line(str(value), limit)}"'


def _counts(given: Grid) -> Any:
    """Sparse ``(U, V)``: how often each unit got each category."""
    shape = (given.count, len(given.categories))
    return _sparse(np.ones(len(given.units)), given.units, given.codes, shape)


def _sparse(data: Floats, rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    from scipy import sparse

    return sparse.csr_array((np.asarray(data, np.float64), (rows, columns)), shape=shape)


def _sparse_of(table: Any) -> Any:
    from scipy import sparse

    return sparse.csr_array(table)
