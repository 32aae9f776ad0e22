"""The metric ``json``: which fields of a JSON answer are those of the reference."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import Field

import harness

Pair = tuple[harness.Prediction, harness.Example]

DEEPEST = 100
"""Levels of lists and objects that are followed."""
MOST_PAIRS = 250_000
"""Values of the answer times values of the reference up to which elements of lists are aligned as
well as can be; beyond, those without an equal are compared in their order."""


class JsonFields(harness.Metric):
    """F1 of the fields that a JSON answer shares with the reference, 0 to 1.

    A field is a value with the keys above it; numbers compare by value, texts without white space
    around them, and the order of keys and of lists does not count. Objects of a list are compared
    one with one. A text that is no JSON is a field of its own, which equals only the same text:
    instead of JSON it scores 0.
    """

    name = "json"
    revision = 2

    class Options(harness.Options):
        right_at: float = Field(
            default=1.0, ge=0, le=1, description="own value from which an answer passes"
        )

    def signature(self) -> str:
        return f"json|fields:f1|lists:unordered|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The best F1 over the references; None without references."""
        if not example.references:
            return None
        answer = _fields(prediction.text)
        return max(f1(answer, _fields(text)) for text in example.references)

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        """How many answers are no JSON although their reference is."""
        wanted = [answer.text for answer, row in pairs if any(map(is_json, row.references))]
        broken = sum(not is_json(text) for text in wanted)
        return [f"{broken} of {len(wanted)} answers are no JSON, and score 0"] if broken else []


def f1(answer: Value, reference: Value) -> float:
    """F1 = 2 x fields in both over the fields of either side."""
    return 2 * common(answer, reference) / (answer.fields + reference.fields)


def is_json(text: str) -> bool:
    """Whether the text is JSON: no NaN, no key twice, at most 100 levels of nesting."""
    return _read(text) is not None


def _fields(text: str) -> Value:
    """The value of a JSON text; another text as one field that no JSON has."""
    return _read(text) or Value(("no JSON", text.strip()))


def _read(text: str) -> Value | None:
    try:
        return value_of(json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins))
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")  # Python's reader takes NaN and Infinity


def _no_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key stands twice")  # Python's reader takes the last of them
    return members


# -- values, and the fields that two of them have in common ----------------------------------------


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
    return Value(_as_text(read))


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


def _aligned(values: Sequence[Value], others: Sequence[Value], at_best: bool) -> int:
    """Fields in common of two lists, of which each element is paired with one at most."""
    equal = Counter(value.same for value in values) & Counter(value.same for value in others)
    rest, other_rest = _without(values, equal), _without(others, equal)
    # Equal elements are paired with each other: no alignment betters that.
    fields = sum(value.fields for value in values) - sum(value.fields for value in rest)
    # A single value has nothing in common but with its equal.
    rows, columns = (
        [value for value in side if value.keys or value.elements] for side in (rest, other_rest)
    )
    if not at_best:
        pairs = zip(rows, columns, strict=False)
        return fields + sum(_common(value, other, at_best) for value, other in pairs)
    table = [[_common(value, other, at_best) for other in columns] for value in rows]
    return fields + _heaviest(table)


def _without(values: Sequence[Value], paired: Mapping[Hashable, int]) -> list[Value]:
    """The values but those that are paired already: so many of each kind, from the front."""
    counts, rest = Counter(paired), []
    for value in values:
        if counts[value.same]:
            counts[value.same] -= 1
        else:
            rest.append(value)
    return rest


def _heaviest(table: Sequence[Sequence[int]]) -> int:
    """The greatest sum of cells no two of which share a row or a column: an assignment problem."""
    if len(table) < 2 or len(table[0]) < 2:
        return max((cell for row in table for cell in row), default=0)
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return sum(table[row][column] for row, column in zip(rows, columns, strict=True))
