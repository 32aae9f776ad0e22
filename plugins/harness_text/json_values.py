"""JSON values, and how many fields two of them have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEEPEST = 100
"""Levels of lists and objects that are followed."""
MOST_PAIRS = 250_000
"""Values of the one times values of the other up to which the elements of lists are aligned at
best; beyond, those without an equal one are compared in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A value of JSON.

    Attributes:
        same: equal for equal values, the order of keys and of lists apart.
        fields: single values, empty lists and empty objects in it.
        values: these, and the lists and objects around them.
        keys: of an object: key -> value.
        elements: of a list.
    """

    same: Hashable
    fields: int = 1
    values: int = 1
    keys: Mapping[str, Value] | None = None
    elements: Sequence[Value] | None = None


def leaf(same: Hashable) -> Value:
    """A value without others in it."""
    return Value(same)


def value_of(read: Any, depth: int = 0) -> Value:
    """What :mod:`json` has read.

    Raises:
        RecursionError: it is nested more than :data:`DEEPEST` levels.
    """
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(read, dict) and read:
        keys = {key: value_of(inner, depth + 1) for key, inner in read.items()}
        same = frozenset((key, inner.same) for key, inner in keys.items())
        return Value(("object", same), *_sizes(list(keys.values())), keys=keys)
    if isinstance(read, list) and read:
        elements = [value_of(inner, depth + 1) for inner in read]
        same = frozenset(Counter(inner.same for inner in elements).items())
        return Value(("list", same), *_sizes(elements), elements=elements)
    return leaf(_as_text(read))


def _sizes(inner: Sequence[Value]) -> tuple[int, int]:
    return sum(value.fields for value in inner), 1 + sum(value.values for value in inner)


def _as_text(value: Any) -> str:
    """Equal for equal values, and for those alone: ``1`` is ``1.0`` but neither true nor "1"."""
    if isinstance(value, str):
        return f'"{value.strip()}'
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def common(value: Value, other: Value) -> int:
    """Fields that are in both, each below the same keys.

    Each element of a list is compared with at most one of the other list, so that the fields in
    common are as many as can be.
    """
    return _common(value, other, value.values * other.values <= MOST_PAIRS)


def _common(value: Value, other: Value, at_best: bool) -> int:
    if value.same == other.same:
        return value.fields
    if value.keys and other.keys:
        both = value.keys.keys() & other.keys.keys()
        return sum(_common(value.keys[key], other.keys[key], at_best) for key in both)
    if value.elements and other.elements:
        return _aligned(value.elements, other.elements, at_best)
    return 0


def _aligned(ones: Sequence[Value], others: Sequence[Value], at_best: bool) -> int:
    """Equal elements go together, which no best alignment can better; of the others the objects
    and lists are tried."""
    equal = Counter(value.same for value in ones) & Counter(other.same for other in others)
    equal_fields = sum(value.fields for value in ones) - sum(
        value.fields for value in _without(ones, equal)
    )
    rows, columns = (
        [value for value in _without(side, equal) if value.keys or value.elements]
        for side in (ones, others)
    )
    if not at_best:
        pairs = zip(rows, columns, strict=False)
        return equal_fields + sum(_common(value, other, at_best) for value, other in pairs)
    table = [[_common(value, other, at_best) for other in columns] for value in rows]
    return equal_fields + _heaviest(table)


def _without(values: Sequence[Value], gone: Counter[Hashable]) -> list[Value]:
    left, rest = Counter(gone), []
    for value in values:
        if left[value.same]:
            left[value.same] -= 1
        else:
            rest.append(value)
    return rest


def _heaviest(table: Sequence[Sequence[int]]) -> int:
    """The greatest sum of cells no two of which share a row or a column."""
    if len(table) < 2 or len(table[0]) < 2:
        return max((cell for row in table for cell in row), default=0)
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return sum(table[row][column] for row, column in zip(rows, columns, strict=True))
