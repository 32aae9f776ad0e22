"""The columns of a line of JSON: of each of its keys and values, and of each of its faults.

A line is parsed at full speed (:mod:`harness.kit.strict_json`); one with a fault is walked here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.kit import strict_json

Steps = tuple[str | int, ...]
Fault = tuple[int, str]
"""Column (characters from 1; bytes where the line is not UTF-8) and reason."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Place:
    """A key or a value, and the column at which it stands."""

    path: Steps
    column: int
    is_key: bool
    value: Any


def faults(raw: bytes) -> list[Fault]:
    """What is wrong with a line of JSON; nothing where :func:`strict_json.parse` reads it."""
    try:
        strict_json.parse(raw)
    except strict_json.Fault as error:
        fault = error
    else:
        return []
    if fault.column is not None:
        return [(fault.column, fault.reason)]
    try:
        known = list(_faults(raw.decode("utf-8")))
    except (RecursionError, ValueError):  # nested too deeply, or a number with too many digits
        known = []
    return known or [(1, f"not usable: {fault}")]


def _faults(text: str) -> Iterator[Fault]:
    seen: set[Steps] = set()
    for place in walk(text):
        if place.is_key and place.path in seen:
            yield place.column, f"the key {json.dumps(place.value)} is given twice"
        if place.is_key:
            seen.add(place.path)
        if isinstance(place.value, float) and not math.isfinite(place.value):
            yield place.column, "NaN, Infinity and numbers too great for a float are not accepted"
        if isinstance(place.value, str) and not _encodes(place.value):
            yield place.column, "half of a surrogate pair (a broken \\u escape)"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def column(text: str, path: Steps, *, key: bool = False) -> int:
    """The column of the value (or key) at ``path``, or of the nearest thing around it."""
    best = (0, 1)
    for place in walk(text):
        depth = len(place.path)
        if place.path == path and place.is_key == key:
            return place.column
        if not place.is_key and depth > best[0] and place.path == path[:depth]:
            best = (depth, place.column)
    return best[1]


def walk(text: str) -> list[Place]:
    """Every key and value of a valid text, in order."""
    places: list[Place] = []
    _value(text, 0, (), places)
    return places


def _value(text: str, at: int, path: Steps, places: list[Place]) -> int:
    at = _skip(text, at)
    if text[at] not in "{[":
        value, end = _DECODER.raw_decode(text, at)
        places.append(Place(path, at + 1, False, value))
        return end
    places.append(Place(path, at + 1, False, None))
    is_object, close = text[at] == "{", "}" if text[at] == "{" else "]"
    at, index = _skip(text, at + 1), 0
    while text[at] != close:
        step: str | int = index
        if is_object:
            step, end = _DECODER.raw_decode(text, at)
            places.append(Place((*path, step), at + 1, True, step))
            at = _skip(text, end) + 1  # behind the colon
        at = _skip(text, _value(text, at, (*path, step), places))
        at = _skip(text, at + 1) if text[at] == "," else at
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
