"""The metric ``json``: which fields of a JSON answer are those of the reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import Field

import harness
from harness_text.json_values import Value, common, leaf, value_of

Pair = tuple[harness.Prediction, harness.Example]


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
        given = _fields(prediction.text)
        return max(f1(given, _fields(text)) for text in example.references)

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        """How many answers are no JSON although their reference is."""
        due = [answer.text for answer, row in pairs if any(map(is_json, row.references))]
        broken = sum(not is_json(text) for text in due)
        return [f"{broken} of {len(due)} answers are no JSON, and score 0"] if broken else []


def f1(given: Value, wanted: Value) -> float:
    """F1 = 2 x fields in both over the fields of either side."""
    return 2 * common(given, wanted) / (given.fields + wanted.fields)


def is_json(text: str) -> bool:
    """Whether the text is JSON: no NaN, no key twice, at most 100 levels of nesting."""
    return _read(text) is not None


def _fields(text: str) -> Value:
    """The value of a JSON text; another text as one field that no JSON has."""
    return _read(text) or leaf(("no JSON", text.strip()))


def _read(text: str) -> Value | None:
    try:
        return value_of(json.loads(text, parse_constant=_refuse, object_pairs_hook=_once))
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice")
    return value
