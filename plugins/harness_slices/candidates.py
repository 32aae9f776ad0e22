"""Which slices are worth a test: conditions on one feature, and pairs of them, with their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Condition

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Found = Iterator[tuple[Condition, Mask]]

LONGEST_VALUE = 80
"""Longer strings are free text, and no text of dev may leave the analyzer; names of features
that are longer are passed over too."""
MOST_VALUES = 50
FEW_NUMBERS = 6
"""A number with at most this many distinct values is a category."""
MOST_PAIRED = 200
"""Conditions that take part in pairs, those of most rows."""
BLOCK = 1 << 16
EXACT = 2.0**53
"""Whole numbers from here on are not told apart by the arithmetic of quantiles."""

Value = str | float | bool
Column = Sequence[Value | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Conditions, and the rows ``(n,)`` that fulfil all of them."""

    conditions: tuple[Condition, ...]
    inside: Mask
    from_prompt: bool

    @property
    def words(self) -> str:
        return " and ".join(condition.words for condition in self.conditions)


def singles(name: str, values: Column, from_prompt: bool, bins: int) -> list[Candidate]:
    """Every condition on one feature with ``values (n,)``; None where a row lacks it."""
    kind = _kind(values)
    conditions: Iterable[tuple[Condition, Mask]] = ()
    if len(name) > LONGEST_VALUE:
        return []
    if kind == "number":
        conditions = _of_numbers(name, values, bins)
    elif kind == "truth" or (kind == "text" and _kind_like(values)):
        conditions = _categories(name, values)
    return [Candidate((condition,), inside, from_prompt) for condition, inside in conditions]


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Of candidates with the same rows only the first, and none that holds everywhere."""
    import numpy as np

    by_rows: dict[bytes, Candidate] = {}
    for candidate in candidates:
        if not candidate.inside.all():
            key = hashlib.blake2b(np.packbits(candidate.inside).tobytes()).digest()
            by_rows.setdefault(key, candidate)
    return list(by_rows.values())


def pairs(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The ``most`` pairs of conditions that hold on most rows, whatever the scores.

    A pair is of two features, and says more than either condition: conditions of which one
    implies the other make none. The broadest ``MOST_PAIRED`` conditions take part.
    """
    import numpy as np

    if most < 1 or len(candidates) < 2:
        return []
    rows_of = [int(np.count_nonzero(c.inside)) for c in candidates]
    broad = sorted(range(len(candidates)), key=lambda i: (-rows_of[i], i))[:MOST_PAIRED]
    candidates = [candidates[i] for i in sorted(broad)]
    shared = _shared([c.inside for c in candidates])
    rows = shared.diagonal()
    features = np.unique([c.conditions[0].feature for c in candidates], return_inverse=True)[1]
    i, j = np.triu_indices(len(candidates), 1)
    # As many rows in common as one of them has: then that one implies the other.
    says_more = (shared[i, j] > 0) & (shared[i, j] < np.minimum(rows[i], rows[j]))
    usable = says_more & (features[i] != features[j])
    i, j = i[usable], j[usable]
    chosen = np.lexsort((j, i, -shared[i, j]))[:most]
    return [
        _both(candidates[first], candidates[other])
        for first, other in zip(i[chosen].tolist(), j[chosen].tolist(), strict=True)
    ]


def _shared(masks: Sequence[Mask]) -> npt.NDArray[np.int64]:
    """Rows ``(c, c)`` that each two of c masks have in common."""
    import numpy as np

    shared = np.zeros((len(masks), len(masks)), dtype=np.int64)
    for start in range(0, len(masks[0]), BLOCK):
        # Products of floats are BLAS's, and exact for counts below 2^24.
        part = np.array([mask[start : start + BLOCK] for mask in masks], dtype=np.float32)
        shared += np.rint(part @ part.T).astype(np.int64)
    return shared


def _both(first: Candidate, second: Candidate) -> Candidate:
    return Candidate(
        (*first.conditions, *second.conditions),
        first.inside & second.inside,
        first.from_prompt and second.from_prompt,
    )


def _kind(values: Column) -> str:
    """``text``, ``truth`` or ``number``; a mixture has no order and takes 1 for True."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return "nothing"
    if all(issubclass(kind, str) for kind in types):
        return "text"
    if all(issubclass(kind, bool) for kind in types):
        return "truth"
    if all(issubclass(kind, (int, float)) and not issubclass(kind, bool) for kind in types):
        return "number"
    return "mixed"


def _kind_like(values: Column) -> bool:
    """Whether texts name kinds: where most stand in one row only, they are titles or names."""
    distinct_values = set(values) - {None}
    if len(distinct_values) > MOST_VALUES:
        return False
    if any(len(str(value)) > LONGEST_VALUE for value in distinct_values):
        return False
    return 2 * len(distinct_values) <= len(values) - values.count(None)


def _categories(name: str, values: Column) -> Found:
    import numpy as np

    categories: list[Any] = sorted(set(values) - {None})
    code_of: dict[Any, int] = {value: code for code, value in enumerate(categories)} | {None: -1}
    codes = np.fromiter(map(code_of.__getitem__, values), np.int16, len(values))
    for code, value in enumerate(categories):
        yield Condition(name, "=", value), codes == code


def _of_numbers(name: str, values: Column, bins: int) -> Found:
    import numpy as np

    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:  # a whole number beyond all doubles
        return
    numbers[np.isinf(numbers)] = np.nan
    present = numbers[~np.isnan(numbers)]
    whole = {type(value) for value in values} <= {int, type(None)}
    if not len(present) or (whole and np.abs(present).max() >= EXACT):
        return
    # Mostly the first rows tell already, and sorting all of them takes long.
    of_first = np.unique(present[:10_000])
    values_present = of_first if len(of_first) > FEW_NUMBERS else np.unique(present)
    if len(values_present) <= FEW_NUMBERS:
        for value in values_present.tolist():
            yield Condition(name, "=", int(value) if whole else value), numbers == value
    else:
        yield from _cuts(name, numbers, present, bins, whole)


def _cuts(name: str, numbers: Any, present: Any, bins: int, whole: bool) -> Found:
    """Low and high ends of a number, cut at the quantiles 1/bins, 2/bins, …

    Cuts are values that occur, so that they read well (``words <= 34``).
    """
    import numpy as np

    shares = [part / bins for part in range(1, bins)]
    for share, cut in zip(shares, np.quantile(present, shares, method="lower"), strict=True):
        value = int(cut) if whole else float(cut)
        # Comparisons with NaN are false: a row without the number is in neither.
        if share <= 0.5:
            yield Condition(name, "<=", value), numbers <= cut
        if share >= 0.5:
            yield Condition(name, ">", value), numbers > cut
