"""An append log of records: one file, one sealed and fsynced line for each record.

What a kill has cut was never acknowledged, and is passed over. A line that was changed is refused,
with its number and what to do: a record is only worth writing down if it can be relied on.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.errors import DataError
from harness.errors.machine import storing
from harness.kit.files import (
    AppendLog,
    append_line,
    canonical,
    read_sealed,
    scan_lines,
    sealed,
)
from harness.kit.text import storable_json
from harness.records import from_json, to_json

_TAIL = 4 << 20
"""Bytes at the end of a file among which its last total is looked for."""
Record = TypeVar("Record")


class Log(Generic[Record]):
    """The records of one file, in the order in which they were written.

    Whoever appends holds a lock of the run or of the folder: another record may depend on it.

    Args:
        kinds: dataclasses. A line is a record of the kind whose fields it has; a field that is None
            is left out of the line.
        schema: of the lines that this version writes.
        earlier: of lines of earlier versions, which this one reads, too.
        cost: what it means that a line cannot be believed, as the end of a sentence.
        hint: what to do about it.
        total: one of the kinds, of which a record says all that those before it come to, and how
            many lines they are (``lines``). Reading begins with the last one, and what is damaged
            before it is not noticed.

    Attributes:
        followed: lines that :meth:`follow` has come to, or that a total stands for.
    """

    def __init__(
        self,
        path: Path,
        *kinds: type[Record],
        schema: int,
        earlier: Collection[int] = (),
        cost: str,
        hint: str,
        total: type[Record] | None = None,
    ) -> None:
        self.path, self.schema, self.cost, self.hint = path, schema, cost, hint
        self._known = {schema, *earlier}
        self._kinds: tuple[Any, ...] = kinds
        self._total = total
        self._appending, self.followed = AppendLog(path), 0
        self._begun = False

    def append(self, record: Record) -> None:
        """Write a record down; it is on the disk when this returns.

        Raises:
            StorageError: the disk is full or not writable; the file is as it was.
        """
        append_line(self.path, self._fields_of(record))

    def _fields_of(self, record: Record) -> dict[str, Any]:
        fields = {name: value for name, value in to_json(record).items() if value is not None}
        return {"schema": self.schema, **fields}

    def read(self, take: Callable[[Record], object]) -> None:
        """Give each record to ``take``, which raises ValueError where one cannot follow the others.

        Raises:
            DataError: a line is damaged, is of another version, or cannot follow the others.
        """
        for number, trouble in self.scan(take):
            raise self._damaged(number, trouble)

    def _damaged(self, number: int, trouble: str) -> DataError:
        return DataError(
            f"this line is damaged ({trouble}), and {self.cost}",
            where=f"{self.path}:{number}",
            hint=self.hint,
        )

    def follow(
        self, take: Callable[[Record], object], make: Callable[[], Sequence[Record]]
    ) -> None:
        """Append records that depend on those before them, while other processes append, too.

        Under a lock of the file the records that came since the last call are given to ``take``,
        and those that ``make`` gives, if any, are written, and given to ``take`` as well. A kill
        may leave the first ones of several.

        Raises:
            DataError: as :meth:`read` does.
            StorageError: as :meth:`append` does.
            Exception: whatever ``make`` raises; nothing is written then, and what was read stays
                followed.
        """

        written: list[Record] = []
        refusals: list[Exception] = []
        if not self._begun:
            self._begun = True
            offset, self.followed = self._last_total()
            if offset:
                self._appending.skip(offset)

        def line(raw: list[bytes], whole: bool) -> bytes:
            if whole and self.followed:
                raise self._damaged(1, "another file has taken its place")
            for data in raw:
                self.followed += 1
                try:
                    value, trouble = read_sealed(data)
                    if value is None:
                        raise ValueError(trouble)
                    take(self._record(value))
                except ValueError as error:
                    raise self._damaged(self.followed, str(error)) from None
            try:
                written.extend(make())
            except Exception as error:
                refusals.append(error)  # raised in here, the lines would be given again
                return b""
            return b"".join(sealed(self._fields_of(record)) for record in written)

        with storing(self.path):
            self._appending.append(line)
        if refusals:
            raise refusals[0]
        for record in written:
            self.followed += 1
            take(record)

    def scan(self, take: Callable[[Record], object]) -> Iterator[tuple[int, str]]:
        """:meth:`read` for whoever can do without some lines.

        Returns:
            number and trouble of each line that is not believed, as soon as those before it were
            given to ``take``.
        """
        offset, lines = self._last_total()
        for line in scan_lines(self.path, offset):
            try:
                if line.value is None:
                    raise ValueError(line.trouble)
                take(self._record(line.value))
            except ValueError as error:
                yield lines + line.number, str(error)

    def _last_total(self) -> tuple[int, int]:
        """Where the last total begins, in bytes, and the lines before it; zeros without one."""
        if self._total is None or not self.path.exists():
            return 0, 0
        with self.path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            begin = stream.seek(max(0, end - _TAIL))
            lines = stream.read(end - begin).split(b"\n")[:-1]  # what is cut is no line
        if begin:  # the first one is cut
            begin += len(lines.pop(0)) + 1 if lines else 0
        for place in reversed(range(len(lines))):
            value = read_sealed(lines[place])[0] if b'"lines":' in lines[place] else None
            record = None if value is None else self._record(value)
            if isinstance(record, self._total):
                before: int = getattr(record, "lines")  # noqa: B009
                return begin + sum(len(line) + 1 for line in lines[:place]), before
        return 0, 0

    def _record(self, line: dict[str, Any]) -> Record:
        schema = line.pop("schema", None)
        if type(schema) is not int or schema not in self._known:
            schemas = " and ".join(map(str, sorted(self._known)))
            raise ValueError(f"it has schema {schema}, this version reads {schemas}")
        for kind in self._kinds:
            required, known = _fields(kind)
            if required <= line.keys() <= known:
                record: Record = _typed(kind, line)
                return record
        raise ValueError("it is no record of this file")


@functools.cache
def _fields(kind: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that a line of the kind has to have, and those that it may have."""
    fields = dataclasses.fields(kind)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return frozenset(required), frozenset(field.name for field in fields)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _typed(kind: Any, line: dict[str, Any]) -> Any:
    """The record that a line says.

    Raises:
        ValueError: it says none: a type is wrong, or a key is missing or unknown.
    """
    try:
        # The types are checked without lone surrogates, which that reader takes for no JSON.
        _adapter(kind).validate_json(canonical(storable_json(line)), strict=True)
        return from_json(kind, line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"it is no record of this file: {place}: {first['msg']}") from None
    except (TypeError, RecursionError) as error:
        raise ValueError(f"it is no record of this file: {error}") from None
