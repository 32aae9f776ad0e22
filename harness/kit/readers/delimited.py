"""CSV: a header, then a row a line, or several lines where a quoted value holds line ends."""

from __future__ import annotations

import csv
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from harness.kit.readers.base import (
    BOM,
    LONGEST,
    SAVE_AS_UTF8,
    TOO_LONG,
    File,
    Reader,
    Record,
    Report,
    Stretches,
)
from harness.kit.readers.lines import lines_of, not_utf8

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SNIFFED = 50
"""Rows by which the delimiter is recognised."""
_QUOTING = "put cells that hold the delimiter, quotes or line ends in double quotes; within these"
_QUOTING += " a double quote is written twice"
_LOCK = threading.RLock()


class Delimited(Reader):
    """A table with a header, in UTF-8 with or without a byte order mark.

    Blank lines are passed over, but for a table of one column: there one that others follow may be
    meant as a row, and is a fault. A row of empty cells is a row.
    """

    def __init__(self, file: File, report: Report, delimiter: str = "") -> None:
        """
        Args:
            delimiter: what the cells are parted by; empty recognises it.
        """
        super().__init__(file, report)
        self._delimiter = delimiter
        self._names: list[str] = []
        self._records = Stretches(file, self._decoded)
        self._number = self._end = self._open = 0

    @property
    def records(self) -> Stretches:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; the number is that of the line in which a row begins."""
        named = separator(self.file)
        self._delimiter = self._delimiter or named or sniffed(self.file)
        self.kind = f"CSV with {DELIMITERS[self._delimiter]}"
        names, blank = self._names, 0
        for number, start, cells in self._cells():
            if named and number == 1:
                continue
            if not names:
                if cells and not self._header(cells, number):
                    return
            elif not cells:
                blank = blank or number
            else:
                if blank and len(names) == 1:
                    reason = "an empty line, which may or may not be meant as a row"
                    self.wrong(reason, blank, hint='write "" for an empty text')
                blank = 0
                if self._fits(cells, number):
                    self._records.add(start, self._end)
                    yield number, dict(zip(names, cells, strict=True))

    def _header(self, cells: list[str], number: int) -> bool:
        self._names += [name.strip() or f"column {at}" for at, name in enumerate(cells, start=1)]
        twice = [name for name, count in Counter(self._names).items() if count > 1]
        for name in twice:
            hint = "give each column a name of its own"
            self.wrong("two columns have this name", number, name, hint)
        self.columns.update(dict.fromkeys(self._names))
        return not twice

    def _fits(self, cells: list[str], number: int) -> bool:
        names = self._names
        if len(cells) != len(names):
            many = "more" if len(cells) > len(names) else "fewer"
            reason = f"{many} values than the header has names ({len(names)})"
            self.wrong(reason, number, hint=_QUOTING)
            return False
        # In a table of one column a row may well say what the header says.
        if len(names) > 1 and cells[0].strip() == names[0]:
            again = [cell.strip() for cell in cells] == names
            if again:
                self.wrong("the header stands here again", number)
            return not again
        return True

    def _cells(self) -> Iterator[tuple[int, int, list[str]]]:
        """Line, first byte and cells of each row; what is no row is reported."""
        table = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
        while True:
            start, first = self._end, self._number + 1
            self._open = 0
            try:
                cells = _next(table)
            except csv.Error as error:
                self.wrong(_reason(str(error)), first, hint=_QUOTING)
                if self._open > LONGEST or "unexpected end" in str(error):
                    return
                continue
            if cells is None:
                return
            yield first, start, cells

    def _lines(self) -> Iterator[str]:
        """The lines of the file, for :mod:`csv`, which keeps no places."""
        for number, start, line in lines_of(self.file):
            self._number = number
            self._end = start + len(line)
            self._open += len(line)
            if self._open > LONGEST:
                raise csv.Error("too long")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                self.wrong(not_utf8(error), number, error.start + 1, SAVE_AS_UTF8)
                yield line.decode("utf-8", "replace")

    def _decoded(self, raw: bytes) -> Record:
        # str.splitlines() also cuts at characters that are none of the ends of lines here.
        lines = [f"{line}\n" for line in raw.decode("utf-8").rstrip("\r\n").split("\n")]
        return dict(
            zip(self._names, _next(csv.reader(lines, delimiter=self._delimiter)) or (), strict=True)
        )


def _next(table: Any) -> list[str] | None:
    """The next row of a :mod:`csv` reader, whose limit for a cell is one of the whole process."""
    with _LOCK:
        before = csv.field_size_limit(LONGEST)
        try:
            return next(table, None)
        finally:
            csv.field_size_limit(before)


def _reason(error: str) -> str:
    if "unexpected end" in error:
        return "a quote that opens here is never closed"
    if "too long" in error:
        return f"{TOO_LONG}: a quote that opens here may never be closed"
    if "new-line" in error:
        return "not CSV: a carriage return outside quotes"
    return f"not CSV: {error}"


_SEPARATOR = re.compile(rb'"?sep=(.)"?[;,\t]*\r?\n?', re.IGNORECASE)


def separator(file: File) -> str:
    """The delimiter that a first line ``sep=;`` says, which is Excel's and no row; else empty."""
    with file.open() as stream:
        match = _SEPARATOR.fullmatch(stream.readline(64).removeprefix(BOM))
    mark = match[1].decode("ascii", "replace") if match else ""
    return mark if mark in DELIMITERS else ""


def sniffed(file: File) -> str:
    """The delimiter: the one that cuts the first rows into equally many values."""
    head = []
    for number, _, line in lines_of(file):
        head.append(line.decode("utf-8", "replace"))
        if number == SNIFFED or len(line) > LONGEST:
            break
    known = "\t" if file.label.lower().endswith(".tsv") else ","
    return max(DELIMITERS, key=lambda mark: (_evenness(head, mark), mark == known))


def _evenness(head: Iterable[str], mark: str) -> float:
    """Share of rows with as many values as the header; 0 where that has one alone."""
    table = csv.reader(head, delimiter=mark)
    counts = []
    try:
        while (row := _next(table)) is not None:
            counts += [len(row)] if row else []
    except csv.Error:
        return 0.0
    if not counts or counts[0] < 2:
        return 0.0
    return sum(count == counts[0] for count in counts) / len(counts)
