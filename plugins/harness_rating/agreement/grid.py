"""Ratings of one criterion as a grid: which unit got which value from which rater.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.kit.text import one_line
from harness.stats import Floats, Ints
from harness_rating.figures import Figure, sparse_of

MOST_NAMES = 500  # values without order up to which their distances are held as a matrix
TOO_MANY = f"there are more than {MOST_NAMES} different values"


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
    if groups is None:
        groups = [str(row) for row in range(len(values))]
    if names is None:
        names = [str(column) for column in range(max(map(len, values), default=0))]
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
    ratings_of = Counter(unit for unit, _, _ in cells)
    # A unit with one rating tells nothing of agreement.
    compared = [cell for cell in cells if ratings_of[cell[0]] > 1]
    compared.sort(key=lambda cell: cell[:2])
    values = {value for _, _, value in compared}
    categories = tuple(sorted(values, key=lambda value: _order(value, number)))
    code_of = {value: code for code, value in enumerate(categories)}
    units, unit_codes = np.unique([unit for unit, _, _ in compared], return_inverse=True)
    return Grid(
        units=unit_codes.astype(np.intp),
        raters=np.array([rater for _, rater, _ in compared], np.intp),
        codes=np.array([code_of[value] for _, _, value in compared], np.intp),
        categories=categories,
        numbers=np.array([number(value) for value in categories], np.float64),
        groups=tuple(groups[int(unit)] for unit in units),
        names=tuple(names),
        why=_why(len(cells), {rater for _, rater, _ in cells}, categories),
    )


def undefined(ratings: Grid) -> Figure:
    """The figure of a grid that has none, with the reason."""
    return Figure(None, n=ratings.count, groups=len(set(ratings.groups)), why=ratings.why)


def counts(ratings: Grid) -> Any:
    """Sparse ``(U, V)``: how often each unit got each category."""
    shape = (ratings.count, len(ratings.categories))
    return sparse_of(np.ones(len(ratings.units)), ratings.units, ratings.codes, shape)


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
    """A value in a sentence: one harmless line; what raters wrote is in quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return " + ".join(shown(part, limit) for part in value) or "nothing"
    return f'"{one_line(str(value), limit)}"'
