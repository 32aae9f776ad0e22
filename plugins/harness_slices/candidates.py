"""Which slices are worth a test: conditions on one feature each, with their rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Condition

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LONGEST_VALUE = 80
"""Longer strings are free text, and no text of dev may leave the analyzer."""
MOST_VALUES = 50
FEW_NUMBERS = 6
"""A number with at most this many distinct values is a category."""

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """One condition, and the rows ``(n,)`` that fulfil it."""

    condition: Condition
    inside: npt.NDArray[np.bool_]
    from_prompt: bool


def candidates(
    rows: Sequence[Mapping[str, Value]], from_prompt: bool, bins: int
) -> Iterator[Candidate]:
    """Every condition on the features of ``rows``; conditions with the same rows come once.

    A condition that holds everywhere is none.
    """
    names = sorted({name for row in rows for name in row})
    seen: set[bytes] = set()
    for name in names:
        for condition, inside in _of_feature(name, [row.get(name) for row in rows], bins):
            key = inside.tobytes()
            if key not in seen and not inside.all():
                seen.add(key)
                yield Candidate(condition, inside, from_prompt)


def _of_feature(
    name: str, values: Sequence[Value | None], bins: int
) -> Iterator[tuple[Condition, npt.NDArray[np.bool_]]]:
    present = [value for value in values if _usable(value)]
    kinds = {_kind(value) for value in present}
    # A feature that is a word here and a number there has no order and mixes 1 with True.
    if len(kinds) != 1 or any(isinstance(v, str) and len(v) > LONGEST_VALUE for v in present):
        return
    distinct = sorted(set(present))  # type: ignore[type-var]
    # Where most values stand in one row only, they are titles or names, not kinds.
    kind_like = kinds != {"text"} or len(distinct) <= len(present) / 2
    if kinds == {"number"} and len(distinct) > FEW_NUMBERS:
        yield from _cuts(name, values, bins)
    elif len(distinct) <= MOST_VALUES and kind_like:
        yield from _categories(name, values, distinct)


def _categories(
    name: str, values: Sequence[Value | None], distinct: Sequence[Any]
) -> Iterator[tuple[Condition, npt.NDArray[np.bool_]]]:
    import numpy as np

    place = {value: code for code, value in enumerate(distinct)}
    codes = np.array([place[v] if _usable(v) else -1 for v in values], dtype=np.intp)
    for code, value in enumerate(distinct):
        yield Condition(name, "=", value), codes == code


def _cuts(
    name: str, values: Sequence[Value | None], bins: int
) -> Iterator[tuple[Condition, npt.NDArray[np.bool_]]]:
    """Low and high ends of a number, cut at the quantiles 1/bins, 2/bins, …

    Cuts are values that occur, so that they read well (``words <= 34``).
    """
    import numpy as np

    numbers = np.array([float(v) if v is not None and _usable(v) else np.nan for v in values])
    whole = all(isinstance(value, int) for value in values if _usable(value))
    for share in (part / bins for part in range(1, bins)):
        cut = float(np.nanquantile(numbers, share, method="lower"))
        shown = int(cut) if whole else cut
        if share <= 0.5:
            yield Condition(name, "<=", shown), numbers <= cut
        if share >= 0.5:
            yield Condition(name, ">", shown), numbers > cut


def _usable(value: Value | None) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _kind(value: Value | None) -> str:
    if isinstance(value, str):
        return "text"
    return "truth" if isinstance(value, bool) else "number"
