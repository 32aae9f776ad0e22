"""Records that plugins may read and not change: compared after a call with what they were before.

The core shares its rows with every plugin of its process, and a frozen record still holds dicts
that can be written to. What one plugin changes all later ones would see, and so would the verdict.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import marshal
import typing
from array import array
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from harness.errors import DataError, InputChanged
from harness.kit.text import one_line
from harness.records import Example, Prediction, ScoredExample, Trial, to_json

_WHOLE = (Example, Prediction)
"""Records within a record whose fields are looked at one by one, so that each can be named."""


class Lent:
    """Records that are handed to a plugin for a call.

    It takes a pass over them when it is made, and one in each :meth:`check`: whoever calls several
    plugins makes it once. It costs 72 bytes for a row of nine fields.

    Args:
        lists: sequences of records, as the plugin is given them.

    Raises:
        DataError: a value is nested too deeply to be looked at.
    """

    def __init__(self, *lists: Sequence[Any]) -> None:
        self._lists = lists
        self._records = [tuple(records) for records in lists]
        try:
            self._before = array("q", self._fingerprints())
        except _TooDeep as deep:
            raise DataError(
                f"{deep} is nested too deeply", hint="keep there what is nested less deeply"
            ) from None

    def check(self) -> None:
        """Compare all with what it was.

        Raises:
            InputChanged: names the first row that was changed, and its field.
        """
        for records, known in zip(self._lists, self._records, strict=True):
            if [id(record) for record in records] != [id(record) for record in known]:
                raise _changed("the list of rows itself")
        try:
            if array("q", self._fingerprints()) == self._before:
                return
        except _TooDeep as deep:
            raise _changed(str(deep)) from None
        before = iter(self._before)
        for record in self._all():
            for name, value in _fields_of(record):
                if next(before) != _fingerprint(value(record)):
                    raise _changed(_place(record, name))

    def _all(self) -> Iterator[Any]:
        return (record for records in self._records for record in records)

    def _fingerprints(self) -> Iterator[int]:
        for record in self._all():
            for name, value in _fields_of(record):
                try:
                    yield _fingerprint(value(record))
                except RecursionError:
                    raise _TooDeep(_place(record, name)) from None


class _TooDeep(Exception):
    """A field whose value cannot be looked at; its text is the field's place."""


def copied(document: Any) -> Any:
    """A copy of a document of plain values, for a plugin that may do with it what it wants."""
    try:
        return marshal.loads(marshal.dumps(document))
    except ValueError:  # it holds something that is not plain
        return copy.deepcopy(document)


def _fields_of(record: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    kind: Any = type(record)
    return _fields(kind)


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Dotted name of each field of a record, and how to get at it."""
    names: list[str] = []
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        inner = hints[field.name]
        whole = inner in _WHOLE
        names += [f"{field.name}.{name}" for name, _ in _fields(inner)] if whole else [field.name]
    return tuple((name, attrgetter(name)) for name in names)


def _fingerprint(value: Any) -> int:
    """64 bits of a value, equal for equal ones within this process.

    Version 2 of marshal's format does not depend on which parts of a value are one object.
    """
    if type(value) is str:
        return hash(value)
    try:
        return hash(marshal.dumps(value, 2))
    except ValueError:  # a record, or a mapping that is no dict
        return hash(json.dumps(to_json(value), default=_foreign))


def _foreign(value: object) -> str:
    """Stands for what is no JSON, which only the plugin can have put there."""
    return f"{type(value)} {id(value)}"


def _name(record: Any) -> str:
    if isinstance(record, Trial):
        return f"trial {record.number + 1}"
    row = record.example if isinstance(record, ScoredExample) else record
    name = getattr(row, "id", "") or getattr(row, "example_id", "")
    return f"row '{one_line(str(name), 60)}'" if name else f"a {type(record).__name__}"


def _place(record: Any, field: str) -> str:
    return f"{_name(record)}: {field.rpartition('.')[2]}"


def _changed(what: str) -> InputChanged:
    return InputChanged(
        f"it changed what it was given to read: {what}",
        hint="correct the plugin: let it change a copy (dataclasses.replace, copy.deepcopy)",
    )
