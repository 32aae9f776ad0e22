"""The metric ``json``: which fields of a JSON answer are those of the reference."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import Field

import harness

Path = tuple[str, ...]
Leaf = tuple[Path, str]
"""Where a value stands, and the value as one text."""
Pair = tuple[harness.Prediction, harness.Example]

ROOT, LIST, NO_JSON = "$", "[]", "no JSON"
"""Steps of a path: the value itself; any place of a list; where a text stands that is no JSON."""


class JsonFields(harness.Metric):
    """F1 of the fields that a JSON answer shares with the reference, 0 to 1.

    A field is a value with the keys above it; numbers compare by value, texts without white space
    around them, and the order of keys and of lists does not count. A text that is no JSON is a
    field of its own, which equals only the same text: instead of JSON it scores 0.
    """

    name = "json"

    class Options(harness.Options):
        right_at: Annotated[float, Field(ge=0, le=1)] = 1.0

    def signature(self) -> str:
        return f"json|fields:f1|lists:unordered|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The best F1 over the references; None without references."""
        if not example.references:
            return None
        given = fields(prediction.text)
        return max(shared(given, fields(text)) for text in example.references)

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        """How many answers are no JSON although their reference is."""
        due = [answer.text for answer, row in pairs if any(map(is_json, row.references))]
        broken = sum(not is_json(text) for text in due)
        return [f"{broken} of {len(due)} answers are no JSON, and score 0"] if broken else []


def fields(text: str) -> Mapping[Leaf, int]:
    """Each value of a JSON text with the keys above it, and how often."""
    try:
        return Counter(_leaves(_read(text), (ROOT,)))
    except (ValueError, RecursionError):
        return Counter([((NO_JSON,), text.strip())])


def is_json(text: str) -> bool:
    """Whether every reader of JSON takes the text."""
    try:
        _read(text)
    except (ValueError, RecursionError):
        return False
    return True


def _read(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice")
    return value


def _leaves(value: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner, (*path, LIST))
    else:
        yield path, _as_text(value)


def _as_text(value: Any) -> str:
    """Equal for equal values, and for those alone: ``1`` is ``1.0`` but neither true nor "1"."""
    if isinstance(value, str):
        return f'"{value.strip()}'
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def shared(given: Mapping[Leaf, int], wanted: Mapping[Leaf, int]) -> float:
    """F1 = 2 x fields in both, each as often as in both, over the fields of either side."""
    common = sum(min(count, wanted.get(leaf, 0)) for leaf, count in given.items())
    return 2 * common / (sum(given.values()) + sum(wanted.values()))
