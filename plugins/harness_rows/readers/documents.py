"""JSON: a list of objects, or an object that holds such a list for each split."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.kit import strict_json
from harness_rows.problems import Problems
from harness_rows.readers.base import File, Reader
from harness_rows.readers.lines import BOM, JsonLines
from harness_rows.records import Record, Records
from harness_rows.splits import SPLIT_NAMES

LISTS = ("data", "rows", "examples", "items", "records", "instances")
"""Keys under which others put the list of rows."""
_SPACE = " \t\n\r"


def readers(file: File, problems: Problems) -> list[Reader]:
    """The readers of a JSON file: one, or one for each split; JSON lines are recognised too."""
    if _is_lines(file):
        return [JsonLines(file, problems)]
    raw = file.path.read_bytes().removeprefix(BOM)
    if raw.lstrip()[:1] == b"[":
        return [JsonList(file, problems, raw)]
    try:
        value = strict_json.parse(raw)
    except strict_json.Fault as fault:
        problems.add(str(fault), file.label)
        return []
    found = _lists(value)
    if not found:
        problems.add(_no_list(value), file.label)
    return [
        Objects(replace(file, split=SPLIT_NAMES.get(name, file.split)), problems, rows, name)
        for name, rows in found.items()
    ]


def _is_lines(file: File) -> bool:
    """Whether the first line is an object by itself, and another one begins behind it."""
    with file.path.open("rb") as stream:
        first = stream.readline().removeprefix(BOM).strip()
        if first[:1] != b"{" or first == b"{":
            return False
        try:
            strict_json.parse(first)
        except strict_json.Fault:
            return bool(stream.readline().lstrip()[:1] == b"{")
        return any(line.strip() for line in stream)


def _lists(value: Any) -> dict[str, list[Any]]:
    """Name -> rows of an object that holds them: by split, or under one of the known keys."""
    if not isinstance(value, dict):
        return {}
    lists = {
        name: rows
        for name, rows in value.items()
        if isinstance(rows, list) and rows and isinstance(rows[0], dict)
    }
    splits = {name: rows for name, rows in lists.items() if name in SPLIT_NAMES}
    return splits or {name: rows for name, rows in lists.items() if name in LISTS}


def _no_list(value: Any) -> str:
    what = "holds no list of rows under `data`, or under the name of a split"
    if isinstance(value, dict) and any(isinstance(one, (dict, list)) for one in value.values()):
        what += '; of pandas, `df.to_json(path, orient="records", lines=True)` writes rows'
    return f"the file {what}"


class JsonList(Reader):
    """A list of objects, of which one after the other is decoded."""

    kind = "a JSON list"

    def __init__(self, file: File, problems: Problems, raw: bytes) -> None:
        super().__init__(file, problems)
        self._text, self._fault = "", ""
        try:
            self._text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self._fault = strict_json.not_utf8(error)
        self._records = _Spans(self._text)

    @property
    def records(self) -> Records:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; rows are numbered from 1."""
        if self._fault:
            self.wrong(self._fault)
            return
        text, at, number = self._text, _skip(self._text, 0) + 1, 0
        while (at := _skip(text, at)) < len(text) and text[at] != "]":
            number += 1
            try:
                value, end = strict_json.DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                self.wrong(f"not JSON: {error}", number)
                return
            if isinstance(value, dict):
                self._records.add(at, end)
                self.columns.update(dict.fromkeys(value))
                yield number, value
            else:
                self.wrong("a row must be a JSON object", number)
            at = _skip(text, end)
            if text[at : at + 1] not in (",", "]"):
                self.wrong("not JSON: a comma is missing behind this row", number)
                return
            at += text[at] == ","
        if at >= len(text):
            self.wrong("not JSON: the list is not closed (is the file whole?)", number)


class _Spans:
    """Records that are spans of a text, decoded when they are asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts, self._ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, at: int, /) -> Record:
        span = self._text[self._starts[at] : self._ends[at]]
        found: Record = strict_json.DECODER.decode(span)
        return found

    def __iter__(self) -> Iterator[Record]:
        return (self[at] for at in range(len(self)))


class Objects(Reader):
    """Objects that are already there."""

    kind = "JSON"

    def __init__(self, file: File, problems: Problems, found: Sequence[Any], name: str) -> None:
        super().__init__(file, problems)
        self.kind = f"JSON, the list `{name}`"
        self._found = found
        self._records: list[Record] = []

    @property
    def records(self) -> Records:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; rows are numbered from 1."""
        for number, value in enumerate(self._found, start=1):
            if isinstance(value, dict):
                self._records.append(value)
                self.columns.update(dict.fromkeys(value))
                yield number, value
            else:
                self.wrong("a row must be a JSON object", number)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
