"""The form of train's answers: few texts that are given again and again, or JSON of a schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import harness

LABELS = 20
"""Different answers at most that are listed."""
OFTEN = 5
"""Rows for each different answer, at least, where answers are labels."""
LABEL = 60
"""Characters of a label at most."""
NEW = 0.02
"""Share of keys, or types of values, that may be new where no others are let in."""
DEEPEST = 8
"""Levels of JSON that are looked into; below them anything will do."""


def form_of(answers: Sequence[str]) -> harness.Form | None:
    """The labels or the JSON Schema that all answers keep to; None where they have no such form."""
    values = [parsed(answer) for answer in answers]
    if values and all(isinstance(value, (dict, list)) for value in values):
        return schema_of(values)
    return labels_of(answers) or None


def parsed(answer: str) -> Any:
    """An answer's JSON value; None where it is none."""
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None


def labels_of(answers: Sequence[str]) -> list[str]:
    """The different answers, the most frequent first, where few are given again and again."""
    counts = Counter(answer.strip() for answer in answers)
    if not 1 < len(counts) <= LABELS or len(answers) < OFTEN * len(counts):
        return []
    if any(len(label) > LABEL or "\n" in label or not label for label in counts):
        return []
    return sorted(counts, key=lambda label: (-counts[label], label))


def schema_of(values: Sequence[Any], depth: int = 0) -> dict[str, Any]:
    """A JSON Schema of all these values: their types, keys and, where they are labels, texts.

    Keys stand in the order in which they come first; those that each object has are required, and
    there are no others. Where they are names that differ from object to object, any will do; so
    will any value where types are as mixed.
    """
    by_type = _by_type(values)
    unlike = _others_come({kind: len(of_kind) for kind, of_kind in by_type.items()})
    if depth == DEEPEST or (depth and unlike):
        return {}
    types = [_schema_of_type(kind, of_kind, depth) for kind, of_kind in by_type.items()]
    return types[0] if len(types) == 1 else {"anyOf": types} if types else {}


def _by_type(values: Iterable[Any]) -> Mapping[str, list[Any]]:
    """The values by their type in JSON; whole numbers are numbers where there are others."""
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(_TYPES[type(value)], []).append(value)
    if "number" in by_type:
        by_type["number"] += by_type.pop("integer", [])
    return by_type


def _others_come(seen: Mapping[str, int]) -> bool:
    """Whether others will come than those seen so often: keys that are names, types of values.

    By the Good-Turing estimate of how many of the next ones are new: those seen once among all that
    were seen (Good, *The population frequencies of species*, 1953).
    """
    return list(seen.values()).count(1) > NEW * sum(seen.values())


_TYPES = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
    float: "number", type(None): "null",
}  # fmt: skip


def _schema_of_type(kind: str, values: Sequence[Any], depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": kind}
    if kind == "object":
        keys = Counter(key for value in values for key in value)
        if _others_come(keys):
            members = [member for value in values for member in value.values()]
            return {**schema, "additionalProperties": schema_of(members, depth + 1)}
        schema["properties"] = {
            key: schema_of([value[key] for value in values if key in value], depth + 1)
            for key in keys
        }
        schema["required"] = [key for key in keys if all(key in value for value in values)]
        schema["additionalProperties"] = False
    elif kind == "array":
        schema["items"] = schema_of([item for value in values for item in value], depth + 1)
    elif kind == "string" and (labels := labels_of(values)) and set(labels) == set(values):
        schema["enum"] = labels
    return schema
