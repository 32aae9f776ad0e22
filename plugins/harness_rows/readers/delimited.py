"""CSV: a header, then a row a line, or several lines where a quoted value holds line ends."""

from __future__ import annotations

import csv
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.kit.strict_json import not_utf8
from harness_rows.problems import Problems
from harness_rows.readers.base import LONGEST, TOO_LONG, File, Reader
from harness_rows.readers.lines import BOM, lines_of
from harness_rows.records import Record, Records, Stretches

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SNIFFED = 50
"""Rows by which the delimiter is recognised."""
_LOCK = threading.RLock()


class Delimited(Reader):
    """A table with a header, in UTF-8 with or without a byte order mark."""

    def __init__(self, file: File, problems: Problems) -> None:
        super().__init__(file, problems)
        self._delimiter = ","
        self._names: list[str] = []
        self._records = Stretches(file.path, self._decoded)

    @property
    def records(self) -> Records:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`."""
        self._delimiter = sniffed(self.file)
        self.kind = f"CSV with {DELIMITERS[self._delimiter]}"
        feed = _Feed(self)
        for start, number, values in feed.rows(self._delimiter):
            if not self._names:
                if not self._header(values):
                    return
                continue
            if not any(values):
                continue
            if self._fits(values, number):
                self._records.add(start, feed.at)
                yield number, self._record(values)

    def _header(self, values: list[str]) -> bool:
        names = [name.strip() or f"column {at}" for at, name in enumerate(values, start=1)]
        twice = [name for name, count in Counter(names).items() if count > 1]
        for name in twice:
            self.wrong("two columns have this name", 1, name)
        self._names = names
        self.columns.update(dict.fromkeys(names))
        return not twice

    def _fits(self, values: list[str], number: int) -> bool:
        if len(values) != len(self._names):
            many = "more" if len(values) > len(self._names) else "fewer"
            self.wrong(f"{many} values than the header has names ({len(self._names)})", number)
            return False
        if [value.strip() for value in values] == self._names:
            self.wrong("the header stands here again", number)
            return False
        return True

    def _record(self, values: list[str]) -> Record:
        return dict(zip(self._names, values, strict=True))

    def _decoded(self, raw: bytes) -> Record:
        with _long_fields():
            # str.splitlines() also cuts at characters that are none of the ends of lines here.
            lines = [f"{line}\n" for line in raw.decode("utf-8").rstrip("\r\n").split("\n")]
            return self._record(next(csv.reader(lines, delimiter=self._delimiter)))


class _Feed:
    """Lines for :mod:`csv`, which keeps no places.

    Attributes:
        at: byte behind the row that was given last.
    """

    def __init__(self, reader: Delimited) -> None:
        self.reader = reader
        self.at = 0
        self._open = 0
        self._number = 0

    def rows(self, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
        """First byte, line and values of each row; what is no row goes to the problems."""
        table = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        while True:
            start, first = self.at, self._number + 1
            self._open = 0
            try:
                with _long_fields():
                    values = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                self.reader.wrong(_reason(str(error)), first)
                if self._open > LONGEST or "unexpected end" in str(error):
                    return
                continue
            yield start, first, values

    def _lines(self) -> Iterator[str]:
        for number, start, line in lines_of(self.reader.file.path):
            self._number = number
            self.at = start + len(line)
            self._open += len(line)
            if self._open > LONGEST:
                raise csv.Error("too long")
            raw = line.removeprefix(BOM) if number == 1 else line
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self.reader.wrong(
                    not_utf8(error).partition(" at position")[0], number, error.start + 1
                )
                yield raw.decode("utf-8", "replace")


def _reason(error: str) -> str:
    if "unexpected end" in error:
        return "a quote that opens here is never closed"
    if "too long" in error:
        return f"{TOO_LONG}: a quote that opens here may never be closed"
    return f"not CSV: {error}"


@contextmanager
def _long_fields() -> Iterator[None]:
    """:mod:`csv` takes long values meanwhile; its limit is one of the whole process."""
    with _LOCK:
        before = csv.field_size_limit(LONGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def sniffed(file: File) -> str:
    """The delimiter: the one that cuts the first rows into equally many values."""
    head = []
    for number, _, line in lines_of(file.path):
        head.append(line.removeprefix(BOM).decode("utf-8", "replace"))
        if number == SNIFFED or len(line) > LONGEST:
            break
    known = "\t" if file.path.suffix.lower() == ".tsv" else ","
    return max(DELIMITERS, key=lambda mark: (_evenness(head, mark), mark == known))


def _evenness(head: Iterable[str], mark: str) -> float:
    """Share of rows with as many values as the header; 0 where that has one alone."""
    try:
        with _long_fields():
            counts = [len(row) for row in csv.reader(head, delimiter=mark) if row]
    except csv.Error:
        return 0.0
    if not counts or counts[0] < 2:
        return 0.0
    return sum(count == counts[0] for count in counts) / len(counts)
