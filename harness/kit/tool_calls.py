"""Calls of tools in JSON, whatever keys a model or a server has for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.kit.strict_json import DECODER, check_pairs
from harness.records.answers import ToolCall


def calls_in(value: Any) -> tuple[ToolCall, ...]:
    """The calls that a JSON value is: an object, or a list of such; empty where it is none.

    An object has a ``name`` and ``arguments``, or ``parameters`` as with Llama 3, or both below
    ``function`` as with OpenAI. Arguments are an object, also as JSON in a text.
    """
    if isinstance(value, list):
        calls = [calls_in(item) if isinstance(item, Mapping) else () for item in value]
        return tuple(call for each in calls for call in each) if all(calls) else ()
    if not isinstance(value, Mapping):
        return ()
    inner = value.get("function")
    inner = inner if isinstance(inner, Mapping) else value
    name, arguments = inner.get("name"), inner.get("arguments", inner.get("parameters"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            return ()
    if not isinstance(name, str) or not name or not isinstance(arguments, Mapping):
        return ()
    return (ToolCall(name, dict(arguments)),)


def json_values(text: str) -> Iterator[tuple[int, int, Any]]:
    """The objects and lists that stand in a text as JSON: where each begins and ends, and it."""
    place = 0
    while (start := _next(text, place)) >= 0:
        try:
            value, end = DECODER.raw_decode(text, start)
            check_pairs(value, text[start:end])
        except RecursionError:  # and so would be the next one, which is inside of it
            return
        except ValueError:
            place = start + 1
            continue
        yield start, end, value
        place = end


def calls_anywhere(text: str) -> tuple[ToolCall, ...]:
    """The calls that stand in a text as JSON, whatever is around them."""
    return tuple(call for _, _, value in json_values(text) for call in calls_in(value))


def _next(text: str, place: int) -> int:
    starts = [start for mark in "{[" if (start := text.find(mark, place)) >= 0]
    return min(starts, default=-1)
