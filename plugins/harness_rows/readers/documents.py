"""JSON: a list of objects, or an object that holds such a list for each split."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness import near
from harness.kit import strict_json
from harness.kit.text import one_line
from harness_rows.problems import Problems
from harness_rows.readers.base import File, Reader
from harness_rows.readers.lines import BOM, JsonLines
from harness_rows.records import Record, Records
from harness_rows.splits import SPLIT_NAMES, with_dev

LISTS = ("data", "rows", "examples", "items", "records", "instances")
"""Keys under which others put the list of rows."""
NAME, NAMED = 40, 5
"""Characters of a name that a message shows, and names."""
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
    if not isinstance(value, dict):
        problems.add(_no_list(value), file.label)
        return []
    if any(_split(name) and _has_rows(held) for name, held in value.items()):
        return _splits(file, problems, value)
    found = {name: held for name, held in value.items() if name in LISTS and _has_rows(held)}
    if not found:
        problems.add(_no_list(value), file.label)
    return [
        Objects(_part(file, name, file.split, len(found)), problems, rows, name)
        for name, rows in found.items()
    ]


def _splits(file: File, problems: Problems, value: dict[str, Any]) -> list[Reader]:
    """A reader for each split of an object that holds a list for each."""
    unknown = [name for name, held in value.items() if not _split(name) and _has_rows(held)]
    if unknown:
        problems.add(_no_split(unknown), file.label)
    # An empty list holds no rows of its split, so `valid` may be dev beside an empty `dev`.
    lists = {name: held for name, held in value.items() if _split(name) and held != []}
    for name in (name for name, held in lists.items() if not isinstance(held, list)):
        problems.add(f"`{_shown(name)}` must be a list of rows", file.label)
    for shown, count in Counter(map(_shown, lists)).items():
        if count > 1:
            problems.add(f"two lists have the name `{shown}`: put their rows in one", file.label)
    splits = with_dev([_split(name) for name in lists])
    return [
        Objects(_part(file, name, split, len(lists)), problems, rows, name)
        for (name, rows), split in zip(lists.items(), splits, strict=True)
        if isinstance(rows, list)
    ]


def _part(file: File, name: str, split: str, of: int) -> File:
    """One of the lists of a file. Rows of each are numbered from 1: of several each has a label."""
    label = f"{file.label}/{_shown(name)}" if of > 1 else file.label
    return replace(file, label=label, split=split)


def _shown(name: str) -> str:
    """A name of the data as ids and messages have it."""
    return one_line(name, NAME)


def _split(name: str) -> str:
    return SPLIT_NAMES.get(name.strip().casefold(), "")


def _has_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _no_split(names: Sequence[str]) -> str:
    said = ", ".join(f"`{_shown(name)}`" for name in names[:NAMED])
    said += ", …" if len(names) > NAMED else ""
    if len(names) > 1:
        what = f"{said} are not names of splits"
    else:
        what = f"{said} is not the name of a split{near(names[0], list(SPLIT_NAMES))}"
    return f"{what} (known: {', '.join(SPLIT_NAMES)})"


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
            if reason := _unusable(value, text[at:end]):
                self.wrong(reason, number)
            else:
                self._records.add(at, end)
                self.columns.update(dict.fromkeys(value))
                yield number, value
            at = _skip(text, end)
            if text[at : at + 1] not in (",", "]"):
                self.wrong("not JSON: a comma is missing after this row", number)
                return
            at += text[at] == ","
        if at >= len(text):
            self.wrong("not JSON: the list is not closed (is the file whole?)", number)
        elif (rest := _skip(text, at + 1)) < len(text):
            line, column = text.count("\n", 0, rest) + 1, rest - text.rfind("\n", 0, rest)
            place = f"line {line}, column {column}"
            self.wrong(f"not JSON: text after the end of the list ({place})")


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
        self.kind = f"JSON, the list `{_shown(name)}`"
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


def _unusable(value: Any, text: str) -> str:
    """Why an element of a list is no row; empty where it is one."""
    if not isinstance(value, dict):
        return "a row must be a JSON object"
    try:
        strict_json.check_pairs(value, text)
    except strict_json.Fault as fault:
        return fault.reason
    except RecursionError:
        return "nested too deeply"
    return ""


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
