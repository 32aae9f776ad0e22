"""What plugins hand over, checked where it enters: the one place that believes no plugin.

A value of the wrong kind would otherwise break something far from the plugin that made it. What is
due is said once, by the annotation of the contract's method (:func:`returned`), and pydantic looks
whether it was given. A :class:`PluginError` says which item it was, what was given and what is due;
plugin, version, stage and round are filled in by :mod:`harness.boundary.calls`. What passes can be
written as JSON and read again as the same record.
"""

from __future__ import annotations

import collections.abc
import functools
import math
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from harness.errors import PluginError
from harness.kit.text import given, one_line

MOST = 5_000_000
"""Items of a result, beyond which it is taken for one that does not end."""
MOST_REMARKS = 200
"""Remarks of one stage."""
MOST_COMMANDS = 100
"""Commands of one package for a model."""
DEEPEST = 60
"""Levels of nested lists and objects in a JSON value."""
T = TypeVar("T")


def returned(method: Callable[..., T], value: object, *, of: str = "", most: int = MOST) -> T:
    """What a plugin returned, if it is what the contract's method is annotated with.

    An iterable is checked item by item while it is read; anything else at once.

    Args:
        method: of the contract (``Analyzer.analyze``).
        of: id of what the plugin was asked about.
        most: items, beyond which the result is taken for one that does not end.

    Raises:
        PluginError: it is something else, which the sentence says.
    """
    call, kind = f"{method.__name__}()" + (f" of '{of}'" if of else ""), _due(method)
    if typing.get_origin(kind) in (collections.abc.Iterable, collections.abc.Iterator):
        return typing.cast(T, _items(typing.get_args(kind)[0], value, call, most))
    return typing.cast(T, checked(kind, value, call))


def checked(kind: Any, value: Any, what: str) -> Any:
    """The value as it was given, if it is of that type with all that it holds.

    Args:
        kind: a record's class, or any type that pydantic knows. Lists pass where tuples are due,
            and what a type leaves open (``Any``) has to be JSON.
        what: names the value (``row 3``).

    Raises:
        PluginError: it is not.
    """
    try:
        _validator(kind).validate_python((value,))
    except ValidationError as error:
        raise _refusal(error, what) from None
    return value


def each(values: Any, call: str, due: str, most: int = MOST) -> Iterator[Any]:
    """The items of a result that has to be iterable, and has to end."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise wrong(call, values, f"an iterable of {due}")
    for place, value in enumerate(values, start=1):
        if place > most:
            raise refused(f"{call} gives more than {most:,} of them: it has to end")
        yield value


def instance_of(kind: type[T], value: Any, call: str) -> T:
    """Something that must be an object of that class (the metric of ``beside()``)."""
    if not isinstance(value, kind):
        raise wrong(call, value, f"an instance of {kind.__name__}")
    return value


def facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage noted with ``context.note()``."""
    checked(Mapping[str, Any], values, "context.note()")
    remarks = checked(tuple[str, ...], values.get("remarks", ()), "context.remark()")
    if len(remarks) > MOST_REMARKS:
        raise refused(f"context.remark() gives more than {MOST_REMARKS} sentences")
    return dict(values)


def paths(value: Any, call: str) -> list[Path]:
    """Files that a plugin names; texts are not taken for paths."""
    return [checked(Path, path, call) for path in each(value, call, "pathlib.Path")]


def commands(value: Any) -> list[str]:
    """Command lines, each a text."""
    call = "commands_for_model()"
    return [checked(str, line, call) for line in each(value, call, "texts", MOST_COMMANDS)]


def sentences(value: Any, call: str = "before_run()") -> list[str]:
    """What is said of a run before it begins, or of its rows, each a text."""
    return [checked(str, line, call) for line in each(value, call, "texts", MOST_COMMANDS)]


def short(name: str) -> str:
    return one_line(name, 60)


def wrong(what: str, value: object, due: str) -> PluginError:
    """The error for a value in place of which something else is due."""
    return refused(f"{what} is {given(value)}, where {due} is due")


def refused(sentence: str) -> PluginError:
    """The error for a result that cannot be used."""
    return PluginError(one_line(sentence, 400), hint="correct the plugin")


@functools.cache
def _due(method: Callable[..., Any]) -> Any:
    return typing.get_type_hints(method)["return"]


def _items(kind: Any, values: Any, call: str, most: int) -> Iterator[Any]:
    due, validate = getattr(kind, "__name__", "items"), _validator(kind).validate_python
    for place, value in enumerate(each(values, call, due, most), start=1):
        try:
            validate((value,))
        except ValidationError as error:
            name = getattr(value, "id", None) or getattr(value, "example_id", None)
            named = f" ('{short(name)}')" if isinstance(name, str) else ""
            raise _refusal(error, f"{call}: item {place}{named}") from None
        yield value


def _refusal(error: ValidationError, what: str) -> PluginError:
    flaws = error.errors(include_url=False)
    # A union has a flaw for each of its types: those that came furthest are meant.
    depth = max(len(flaw["loc"]) for flaw in flaws)
    flaw = next(flaw for flaw in flaws if len(flaw["loc"]) == depth)
    alike = [
        other for other in flaws
        if other["loc"][:-1] == flaw["loc"][:-1] and other["input"] is flaw["input"]
    ]  # fmt: skip
    steps = flaw["loc"][1:-1] if len(alike) > 1 else flaw["loc"][1:]
    place = "".join(map(_step, steps)).lstrip(".")
    where = f"{what}: {place}" if place else what
    if flaw["type"] == "sequence_str":  # mostly a comma that is missing: ("pool")
        return wrong(where, flaw["input"], f'a list or tuple, as ["{short(flaw["input"])}"],')
    if not flaw["msg"].startswith(_DUE):
        instead = "" if flaw["type"] == "missing" else f" is {given(flaw['input'])}"
        return refused(f"{where}{instead}: {flaw['msg']}")
    dues = dict.fromkeys(other["msg"].removeprefix(_DUE) for other in alike)
    return wrong(where, flaw["input"], " or ".join(dues))


_DUE = "Input should be "
"""How pydantic begins to say what is due."""


def _step(step: int | str) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{short(step)}"


@functools.cache
def _validator(kind: Any) -> SchemaValidator:
    """What checks values of a type, each as the only item of a tuple.

    A record's own settings would stand above those that are given here, so it is wrapped.
    """
    config = ConfigDict(strict=True, revalidate_instances="always", allow_inf_nan=False)
    schema = TypeAdapter(tuple[kind], config={**config, "arbitrary_types_allowed": True})
    settings = core_schema.CoreConfig(
        strict=True, revalidate_instances="always", allow_inf_nan=False
    )
    return SchemaValidator(_as_given(schema.core_schema), settings)


def _as_given(schema: Any) -> Any:
    """A schema under which lists pass for tuples, and JSON alone for ``Any``."""
    if isinstance(schema, list):
        return [_as_given(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _as_given(part) for name, part in schema.items()}
    if inner.get("type") == "tuple":
        return core_schema.no_info_before_validator_function(_tuple, typing.cast(Any, inner))
    if inner.get("type") == "any":
        return core_schema.no_info_plain_validator_function(_json)
    return inner


def _tuple(value: Any) -> Any:
    return tuple(value) if type(value) is list else value


_PLAIN = frozenset({str, int, bool, type(None)})


def _json(value: Any, depth: int = 0) -> Any:
    """What JSON can hold; numbers that are none cannot be held."""
    if type(value) in _PLAIN:  # what nearly every value is
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PydanticCustomError("json", "Input should be a finite number")
    elif depth > DEEPEST:
        raise PydanticCustomError("json", "Input should be a value that is nested less deeply")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise PydanticCustomError("json", "Input should be a mapping of text keys")
            _json(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _json(item, depth + 1)
    elif not isinstance(value, (str, int)):
        raise PydanticCustomError("json", "Input should be a JSON value")
    return value
