"""JSON that is a list of objects, or of texts."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from harness.kit import strict_json
from harness.kit.readers.base import BOM, SAVE_AS_UTF8, File, Reader, Record, Report

_SPACE = " \t\n\r"
NO_OBJECT = "a row must be a JSON object"
_HINT = 'write [{…}, …] or ["…", …]'


class JsonList(Reader):
    """A list of objects, of which one after the other is decoded.

    In a list that begins with a text all are texts: records with the one column ``text``.
    """

    kind = "a JSON list"

    def __init__(self, file: File, report: Report) -> None:
        super().__init__(file, report)
        self._records = _Spans("")

    @property
    def records(self) -> _Spans:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; rows are numbered from 1."""
        with self.file.open() as stream:
            raw = stream.read().removeprefix(BOM)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.wrong(strict_json.not_utf8(error), hint=SAVE_AS_UTF8)
            return
        self._records = _Spans(text)
        at, number, of_texts = _skip(text, 0) + 1, 0, False
        is_escaped = "\\ud" in text or "\\uD" in text  # perhaps half of a surrogate pair
        while (at := _skip(text, at)) < len(text) and text[at] != "]":
            number += 1
            try:
                value, end = strict_json.DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                self.wrong(_not_json(error), number)
                return
            of_texts |= number == 1 and isinstance(value, str)
            if reason := _unusable(value, text[at:end] if is_escaped else "", of_texts):
                self.wrong(reason, number, hint=_HINT)
            else:
                self._records.add(at, end)
                record = as_record(value)
                if not record.keys() <= self.columns.keys():
                    self.columns.update(dict.fromkeys(record))
                yield number, record
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
        return as_record(strict_json.DECODER.decode(self._text[self._starts[at] : self._ends[at]]))

    def __iter__(self) -> Iterator[Record]:
        return (self[at] for at in range(len(self)))


class JsonObjects(Reader):
    """Objects that are already there: a list within a larger document.

    Args:
        kind: what this is.
    """

    def __init__(self, file: File, report: Report, objects: Sequence[Any], kind: str) -> None:
        super().__init__(file, report)
        self.kind = kind
        self._objects = objects
        self._records: list[Record] = []

    @property
    def records(self) -> list[Record]:
        return self._records

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`; rows are numbered from 1."""
        for number, value in enumerate(self._objects, start=1):
            if isinstance(value, dict):
                self._records.append(value)
                self.columns.update(dict.fromkeys(value))
                yield number, value
            else:
                self.wrong(NO_OBJECT, number)


def as_record(value: Any) -> Record:
    return {"text": value} if isinstance(value, str) else value


def _not_json(error: Exception) -> str:
    if isinstance(error, strict_json.Fault):
        return error.reason
    if isinstance(error, json.JSONDecodeError):
        message = f"{error.msg[:1].lower()}{error.msg[1:]}"
        return f"not JSON: {message} (line {error.lineno}, column {error.colno})"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "a whole number with too many digits"


def _unusable(value: Any, text: str, of_texts: bool) -> str:
    """Why an element of a list is no row; empty where it is one."""
    if of_texts and not isinstance(value, str):
        return "a row must be a text, as the first is"
    if not of_texts and not isinstance(value, dict):
        return NO_OBJECT
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
