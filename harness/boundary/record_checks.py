"""Whether a value is the record that it should be, and what is wrong with it if not.

The checks are made from the types of a record's fields, once for each type. A value that passes
can be written as JSON and read again as the same record.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from harness.kit.text import given, one_line

DEEPEST = 60
"""Levels of nested lists and objects in a JSON value."""


class Flaw(NamedTuple):
    """What is wrong with a value: where in it, what was given, what is due."""

    path: str
    given: str
    wanted: str


Check = Callable[[Any], Flaw | None]


def short(name: str) -> str:
    return one_line(name, 60)


def anything(value: Any) -> Flaw | None:
    return None


def text(value: Any) -> Flaw | None:
    return None if isinstance(value, str) else Flaw("", given(value), "text")


def whole(value: Any) -> Flaw | None:
    good = isinstance(value, int) and not isinstance(value, bool)
    return None if good else Flaw("", given(value), "a whole number")


def number(value: Any) -> Flaw | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return None
    return Flaw("", given(value), "a finite number")


def truth(value: Any) -> Flaw | None:
    return None if isinstance(value, bool) else Flaw("", given(value), "True or False")


_PLAIN: Mapping[Any, Check] = {str: text, int: whole, float: number, bool: truth}


@functools.cache
def check_of(kind: Any) -> Check:
    """The check of a type as records use them."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _fields(kind)
    if origin in (types.UnionType, typing.Union):
        # None is what is mostly there, and the quickest to see.
        ordered = sorted(arguments, key=lambda argument: argument is not type(None))
        return _one_of([check_of(argument) for argument in ordered])
    if origin is Literal:
        return _among(arguments)
    if origin is tuple:
        return items(check_of(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _json if arguments[1] is Any else mapping(check_of(arguments[1]))
    if kind is type(None):
        return lambda value: None if value is None else Flaw("", given(value), "None")
    return anything


def _fields(kind: type) -> Check:
    hints = typing.get_type_hints(kind)
    checks = [(f.name, check_of(hints[f.name])) for f in dataclasses.fields(kind)]
    room = kind.__module__ if kind.__module__.startswith("harness.kit.") else "harness"

    def check(value: Any) -> Flaw | None:
        if not isinstance(value, kind):
            return Flaw("", given(value), f"a {room}.{kind.__name__}")
        for name, inner in checks:
            flaw = inner(getattr(value, name))
            if flaw is not None:
                return at(name, flaw)
        return None

    return check


def _one_of(checks: Sequence[Check]) -> Check:
    def check(value: Any) -> Flaw | None:
        flaws = []
        for inner in checks:
            flaw = inner(value)
            if flaw is None:
                return None
            flaws.append(flaw)
        deepest = max(flaws, key=lambda flaw: len(flaw.path))
        if deepest.path:
            return deepest
        return Flaw("", given(value), " or ".join(flaw.wanted for flaw in flaws))

    return check


def _among(choices: Sequence[Any]) -> Check:
    wanted = "one of " + ", ".join(map(str, choices))

    def check(value: Any) -> Flaw | None:
        good = any(type(value) is type(choice) and value == choice for choice in choices)
        return None if good else Flaw("", given(value), wanted)

    return check


def items(inner: Check) -> Check:
    def check(value: Any) -> Flaw | None:
        if not isinstance(value, (tuple, list)):
            return Flaw("", given(value), "a tuple")
        for place, item in enumerate(value):
            flaw = inner(item)
            if flaw is not None:
                return at(f"[{place}]", flaw)
        return None

    return check


def mapping(inner: Check) -> Check:
    def check(value: Any) -> Flaw | None:
        if not isinstance(value, Mapping):
            return Flaw("", given(value), "a mapping")
        for key, item in value.items():
            if not isinstance(key, str):
                return Flaw("", f"a mapping with the key {given(key)}", "a mapping of text keys")
            flaw = inner(item)
            if flaw is not None:
                return at(f"[{json.dumps(short(key), ensure_ascii=False)}]", flaw)
        return None

    return check


def _json(value: Any) -> Flaw | None:
    """A mapping that JSON can hold."""
    if type(value) is dict and _is_flat(value):
        return None
    return json_flaw(value) if isinstance(value, Mapping) else mapping(anything)(value)


_FLAT = frozenset({str, int, bool, type(None)})


def _is_flat(value: dict[Any, Any]) -> bool:
    """What nearly every row and turn is; seen without a call for each of its values."""
    return all(type(key) is str and type(item) in _FLAT for key, item in value.items())


def json_flaw(value: Any, depth: int = 0) -> Flaw | None:
    """What in it JSON cannot hold, numbers that are none included."""
    if value is None or isinstance(value, (str, bool, int)):
        return None
    if isinstance(value, float):
        return number(value)
    if depth > DEEPEST:
        return Flaw("", f"nested deeper than {DEEPEST} levels", "a flat value")

    def inner(item: Any) -> Flaw | None:
        return json_flaw(item, depth + 1)

    if isinstance(value, Mapping):
        return mapping(inner)(value)
    if isinstance(value, (list, tuple)):
        return items(inner)(value)
    return Flaw("", given(value), "a JSON value")


def at(name: str, flaw: Flaw | None) -> Flaw | None:
    if flaw is None:
        return None
    return Flaw(f"{name if name.startswith('[') else '.' + name}{flaw.path}", *flaw[1:])
