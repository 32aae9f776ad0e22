"""From bytes to records: numbered texts (of a text file) or objects (of all other formats)."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from harness import DataError
from harness.kit.strict_json import Fault, not_utf8, parse
from harness_score.readers.opening import BOM
from harness_score.readers.problems import Problems, kind_of, listed

Records = Iterator[tuple[int, Any]]
"""Line (or row, where there are no lines) from 1, and a text or a mapping of field to value."""

_UTF8 = "save the file as UTF-8"
_ONE_LINE = "write one JSON object per line, or an array of them into a .json file"
_CELL_LIMIT = 2**31 - 1


def text_lines(stream: BinaryIO, problems: Problems) -> Records:
    r"""Every line is a row, an empty one too; only ``\n`` or ``\r\n`` ends a line.

    :meth:`str.splitlines` would also cut at U+2028, U+0085 and others, which texts contain.
    """
    for number, line in enumerate(_lines(stream), start=1):
        try:
            yield number, line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            problems.add(f"{problems.file}:{number}", not_utf8(error), _UTF8)


def json_lines(stream: BinaryIO, problems: Problems) -> Records:
    """One object per line; blank lines are skipped, what is no object is a problem."""
    for number, line in enumerate(_lines(stream), start=1):
        bare = line.strip()
        if not bare:
            continue
        place = f"{problems.file}:{number}"
        if bare in (b"[", b"{"):
            raise DataError("a row must be a single line", where=place, hint=_ONE_LINE)
        try:
            value = parse(line)
        except Fault as fault:
            problems.add(place, str(fault), _UTF8 if str(fault).startswith("not UTF") else "")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            problems.add(place, f"a row must be a JSON object, not {kind_of(value)}", _ONE_LINE)


def json_file(stream: BinaryIO, problems: Problems) -> Records:
    """An array of objects or of texts; where it does not begin like one, JSON lines.

    Raises:
        DataError: it is no JSON.
    """
    raw = stream.read().removeprefix(BOM)
    if not raw.lstrip().startswith(b"["):
        stream.seek(0)
        yield from json_lines(stream, problems)
        return
    try:
        values = parse(raw)
    except Fault as fault:
        hint = _UTF8 if str(fault).startswith("not UTF") else ""
        raise DataError(str(fault), where=problems.file, hint=hint) from None
    allowed = str if values and isinstance(values[0], str) else dict
    wanted = "a text, as the first is" if allowed is str else "an object"
    for number, value in enumerate(values, start=1):
        if isinstance(value, allowed):
            yield number, value
        else:
            reason = f"a row must be {wanted}, not {kind_of(value)}"
            problems.add(f"{problems.file}:{number}", reason, 'write [{...}, ...] or ["...", ...]')


def csv_rows(stream: BinaryIO, problems: Problems, delimiter: str) -> Records:
    """Rows as column -> cell, numbered by the line in which each begins.

    Blank lines are skipped, but for a table of one column, where they may be meant as a row.

    Raises:
        DataError: no header, doubled column names, wrong quotes, or bytes that are no UTF-8.
    """
    before = csv.field_size_limit(_CELL_LIMIT)
    try:
        yield from _csv_rows(stream, problems, delimiter)
    finally:
        csv.field_size_limit(before)


def _csv_rows(stream: BinaryIO, problems: Problems, delimiter: str) -> Records:
    cells = _cells(stream, problems.file, delimiter)
    number, header = next(cells, (1, []))
    while not header:
        number, header = next(cells, (0, [""]))
    if not number:
        return
    doubled = [name for name, count in Counter(header).items() if count > 1]
    if doubled:
        what = f"columns of one name: {listed(doubled)}"
        hint = "give each column a name of its own in the first line"
        raise DataError(what, where=f"{problems.file}:{number}", hint=hint)
    blank = 0
    for number, row in cells:
        if not row:
            blank = blank or number
            continue
        if blank and len(header) == 1:
            reason = "an empty line, which may or may not be meant as a row"
            problems.add(f"{problems.file}:{blank}", reason, 'write "" for an empty text')
        blank = 0
        if len(row) == len(header):
            yield number, dict(zip(header, row, strict=True))
        else:
            reason = f"{len(row)} cells, where the header has {len(header)} columns"
            hint = "put cells that contain the delimiter, quotes or line ends in double quotes"
            problems.add(f"{problems.file}:{number}", reason, hint)


def _cells(stream: BinaryIO, file: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    begun, rest = [], _lines(stream)
    for line in rest:
        begun.append(line)
        if line.strip():
            delimiter = _separator(line, delimiter)
            break
    lines = (line.decode("utf-8") for line in itertools.chain(begun, rest))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            reason = "a carriage return outside quotes" if "new-line" in str(error) else error
            what = f"not CSV: {reason} (the row begins here)"
            hint = "within quotes, a double quote is written twice; rows end in \\n or \\r\\n"
            raise DataError(what, where=f"{file}:{number}", hint=hint) from None
        except UnicodeDecodeError as error:
            place = f"{file}:{reader.line_num + 1}"
            raise DataError(not_utf8(error), where=place, hint=_UTF8) from None
        if row is None:
            return
        yield number, row


def _separator(header: bytes, delimiter: str) -> str:
    """What the header's columns are parted by: many programs write a .csv with semicolons."""
    if delimiter == "," and b"," not in header:
        return next((mark for mark in ";\t" if mark.encode() in header), delimiter)
    return delimiter


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    r"""Lines with their ``\n``, without the byte order mark before the first."""
    first = stream.readline().removeprefix(BOM)
    if first:
        yield first
    yield from stream
