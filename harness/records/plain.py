"""Records as plain JSON values, and back."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Record = TypeVar("Record")
_PLAIN = frozenset({str, int, float, bool, type(None)})
_IF_SET = "if set"
IF_SET: Mapping[str, Any] = {_IF_SET: True}
"""Metadata of a field that is no part of the JSON where it is empty, so that records without it
are written, and have the digest, as before there was the field."""


def to_json(record: Any) -> Any:
    """A record (or a container of them) as plain JSON values."""
    kind: Any = type(record)
    if kind in _PLAIN:
        return record
    if isinstance(record, (list, tuple)):
        return [to_json(item) for item in record]
    if (names := _field_names(kind)) is not None:
        return {
            name: to_json(value) for name, always in names
            if (value := getattr(record, name)) or always
        }  # fmt: skip
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    return record


@functools.cache
def _field_names(kind: type) -> tuple[tuple[str, bool], ...] | None:
    """The fields of a record's class, and whether each is written where it is empty, too.

    None of any other class.
    """
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, _IF_SET not in field.metadata) for field in dataclasses.fields(kind))


def from_json(kind: type[Record], data: Any) -> Record:
    """The record that :func:`to_json` wrote.

    Raises:
        TypeError: a field is missing or unknown.
    """
    return typing.cast(Record, _decoder(typing.cast(Any, kind))(data))


def from_document(kind: type[Record], data: Any) -> Record:
    """A document to be read: its mappings cannot be written to, and keys that are not known, of a
    later version, are passed over. Values of plain types are taken as they are.

    Raises:
        TypeError, AttributeError: a field is missing, or a value of another kind.
    """
    return typing.cast(Record, _decoder(typing.cast(Any, kind), reading=True)(data))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _decoder(kind: Any, reading: bool = False) -> Callable[[Any], Any]:
    """What makes a value of the kind from JSON; looked up once, as thousands of rows are read."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [argument for argument in arguments if argument is not type(None)]
        if len(inner) != 1:
            return _as_it_is
        decode = _decoder(inner[0], reading)
        return lambda data: data if data is None else decode(data)
    if origin is tuple:
        decode = _decoder(arguments[0], reading)
        return lambda data: tuple(map(decode, data))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        decode = _decoder(arguments[1], reading)
        made = types.MappingProxyType if reading else dict
        return lambda data: made({key: decode(item) for key, item in data.items()})
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return functools.partial(_record, kind, reading)
    return _as_it_is


def _record(kind: type, reading: bool, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    return kind(
        **{
            key: _decoder(hints.get(key, Any), reading)(value)
            for key, value in data.items()
            if key in hints or not reading
        }
    )


def _as_it_is(data: Any) -> Any:
    return data
