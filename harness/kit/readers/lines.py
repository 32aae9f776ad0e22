"""JSON lines, an object a line; and plain text, a row a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import DataError
from harness.kit import strict_json
from harness.kit.readers import json_text
from harness.kit.readers.base import (
    BOM,
    LONGEST,
    SAVE_AS_UTF8,
    TOO_LONG,
    Fault,
    File,
    Reader,
    Record,
    Report,
    Stretches,
)
from harness.kit.readers.problems import Problems

Made = TypeVar("Made")
_ONE_LINE = "a row must be one line: write one JSON object per line"
_ONE_LINE_HINT = "or a list of objects ([{…}, …]) into a .json file"


class _Lines(Reader):
    """A row a line; only a line feed ends one."""

    def __init__(self, file: File, report: Report) -> None:
        super().__init__(file, report)
        self._records = Stretches(file, self._decoded)

    @property
    def records(self) -> Stretches:
        return self._records

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        for line in lines_of(self.file):
            if len(line[2]) > LONGEST:
                self.wrong(TOO_LONG, line[0])
            else:
                yield line

    @staticmethod
    def _decoded(raw: bytes) -> Record:
        raise NotImplementedError


class JsonLines(_Lines):
    """An object a line; blank lines are skipped."""

    kind = "JSON lines"

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; of a line that is no JSON each fault has its column."""
        for number, start, raw in self._lines():
            line = raw.rstrip(b"\r\n")
            if not line.strip():
                continue
            if line.strip() in (b"[", b"{"):
                self.wrong(_ONE_LINE, number, 1, _ONE_LINE_HINT)
                return
            try:
                value: Any = strict_json.parse(line)
            except strict_json.Fault:
                for column, reason in json_text.faults(line):
                    hint = SAVE_AS_UTF8 if reason.startswith("not UTF") else ""
                    self.wrong(reason, number, column, hint)
                continue
            if isinstance(value, dict):
                self._records.add(start, start + len(raw))
                if not value.keys() <= self.columns.keys():
                    self.columns.update(dict.fromkeys(value))
                yield number, value
            else:
                self.wrong("a row must be a JSON object", number, 1, _ONE_LINE)

    @staticmethod
    def _decoded(raw: bytes) -> Record:
        record: Record = strict_json.parse(raw)
        return record


class TextLines(_Lines):
    r"""Every line is a row, an empty one too: a record with the one column ``text``.

    Only ``\n`` or ``\r\n`` ends a line: :meth:`str.splitlines` would also cut at U+2028, U+0085 and
    others, which texts contain.
    """

    kind = "text"

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`."""
        self.columns["text"] = None
        for number, start, raw in self._lines():
            try:
                record = self._decoded(raw)
            except UnicodeDecodeError as error:
                self.wrong(not_utf8(error), number, error.start + 1, SAVE_AS_UTF8)
                continue
            self._records.add(start, start + len(raw))
            yield number, record

    @staticmethod
    def _decoded(raw: bytes) -> Record:
        return {"text": raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")}


def each_of(path: Path, make: Callable[[Record], Made], hint: str) -> list[Made]:
    """What is made of each object of a file of JSON lines, in order.

    Args:
        make: raises ValueError, with what is wrong, where an object is none of those meant.
        hint: what such a line looks like.

    Raises:
        DataError: the file cannot be read, or lines of it cannot be used: all are named.
    """
    file, problems, made = File(path, str(path)), Problems(), list[Made]()
    try:
        for number, record in JsonLines(file, problems.add).rows():
            try:
                made.append(make(record))
            except ValueError as error:
                problems.add(Fault(str(error), file.label, number))
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"cannot read it: {why}", where=file.label, hint=hint) from None
    problems.refuse(file.label, hint)
    return made


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes that are no UTF-8, without the place."""
    return strict_json.not_utf8(error).partition(" at position")[0]


def lines_of(file: File) -> Iterator[tuple[int, int, bytes]]:
    """Number, first byte and bytes of each line; of one that is too long only the beginning.

    A byte order mark is no part of the first line.
    """
    number = 0
    with file.open() as stream:
        at = len(BOM) if stream.read(len(BOM)) == BOM else stream.seek(0)
        while line := stream.readline(LONGEST + 1):
            number += 1
            yield number, at, line
            at += len(line)
            while len(line) > LONGEST and not line.endswith(b"\n"):
                line = stream.readline(LONGEST + 1)
                at += len(line)
                if not line or len(line) <= LONGEST:
                    break
