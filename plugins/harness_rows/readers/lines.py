"""JSON lines: an object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.kit import strict_json
from harness_rows import json_text
from harness_rows.problems import Problems
from harness_rows.readers.base import LONGEST, TOO_LONG, File, Reader
from harness_rows.records import Record, Records, Stretches

BOM = b"\xef\xbb\xbf"


def decoded(raw: bytes) -> Record:
    """The record of a line that was read before."""
    found: Record = strict_json.parse(raw.removeprefix(BOM))
    return found


class JsonLines(Reader):
    """Only a line feed ends a row; blank lines are skipped."""

    kind = "JSON lines"

    def __init__(self, file: File, problems: Problems) -> None:
        super().__init__(file, problems)
        self._records = Stretches(file.path, decoded)

    @property
    def records(self) -> Records:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`."""
        for number, start, line in lines_of(self.file.path):
            if len(line) > LONGEST:
                self.wrong(TOO_LONG, number)
                continue
            raw = line.removeprefix(BOM) if number == 1 else line
            if not raw.strip():
                continue
            value = self._parsed(raw, number)
            if value is not None:
                self._records.add(start, start + len(line))
                self.columns.update(dict.fromkeys(value))
                yield number, value

    def _parsed(self, raw: bytes, number: int) -> Record | None:
        try:
            value: Any = strict_json.parse(raw)
        except strict_json.Fault:
            for column, reason in json_text.parse(raw)[2]:
                self.wrong(reason, number, column)
            return None
        if isinstance(value, dict):
            return value
        self.wrong("a row must be a JSON object", number)
        return None


def lines_of(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, first byte and bytes of each line; of one that is too long only the beginning."""
    at, number = 0, 0
    with path.open("rb") as stream:
        while line := stream.readline(LONGEST + 1):
            number += 1
            yield number, at, line
            at += len(line)
            while len(line) > LONGEST and not line.endswith(b"\n"):
                line = stream.readline(LONGEST + 1)
                at += len(line)
                if not line or len(line) <= LONGEST:
                    break
