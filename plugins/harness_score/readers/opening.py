"""From what the user typed to an open file of a known format."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal

from harness import DataError, UsageError, near
from harness.kit.strict_json import Fault, parse
from harness.kit.text import one_line
from harness_score.readers.problems import quoted

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "text"]

STANDARD_INPUT = "standard input"
BOM = b"\xef\xbb\xbf"

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_HEAD = 4096
_MANY = 2000  # names that are compared with a wrong one
_UTF16 = ((b"\xff\xfe", "a UTF-16 byte order mark"), (b"\xfe\xff", "a UTF-16 byte order mark"))
_MAGIC = (
    (b"PAR1\x15", "Parquet", "give it as a file with the suffix .parquet"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"PK\x03\x04", "a zip or an Excel file", "save it as CSV or JSON lines"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input, and perhaps one column of it.

    Attributes:
        name: as the user gave it; ``standard input`` instead of ``-``.
        path: None for standard input.
        column: None where the user named none.
    """

    name: str
    path: str | None
    column: str | None

    @property
    def file(self) -> str:
        """The file's name in messages."""
        return STANDARD_INPUT if self.path is None else self.path

    def with_column(self, column: str) -> str:
        """What the user has to type for that column."""
        return f"{'-' if self.path is None else self.path}:{column}"


def locate(source: str) -> Source:
    """Tell path and column apart: a path that exists as it is wins, then the last colon parts.

    Raises:
        UsageError: nothing stands before or behind the colon.
        DataError: there is no such file.
    """
    if source == "-":
        return Source(STANDARD_INPUT, None, None)
    head, colon, column = source.rpartition(":")
    if not colon or not _missing(source):
        return Source(source, _there(source), None)
    if not column or not head:
        what = f"{quoted(source)} names no {'column' if head else 'file'}"
        raise UsageError(what, hint="write PATH, or PATH:COLUMN")
    if head == "-":
        return Source(f"{STANDARD_INPUT}:{column}", None, column)
    is_path = "/" in column or os.sep in column or _suffix(column) in _FORMATS
    if is_path and _missing(head):
        return Source(source, _there(source), None)
    return Source(source, _there(head), column)


def _missing(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:  # there is something, though not for us
        return False
    return False


def _there(path: str) -> str:
    if path and not _missing(path):
        return path
    folder, name = os.path.split(path)
    if folder and not os.path.isdir(folder):
        raise DataError("there is no such file: its folder does not exist", where=path)
    try:
        names = os.listdir(folder or ".")[:_MANY]
    except (OSError, ValueError):
        names = []
    hint = one_line(near(name, names))
    raise DataError(
        f"there is no such file{hint}",
        where=path,
        hint="" if hint else "check the path; a column is named behind it: PATH:COLUMN",
    )


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


@contextmanager
def opened(source: Source, stdin: BinaryIO | None) -> Iterator[tuple[BinaryIO, Format]]:
    """The source's bytes, from the start and seekable, and their format.

    Raises:
        DataError: it is a folder, cannot be read, is empty, or is UTF-16 or a known binary file.
    """
    try:
        if source.path is None:
            whole = io.BytesIO((stdin or sys.stdin.buffer).read())
            yield whole, _checked(whole, source, _sniffed(whole))
            return
        with open(source.path, "rb") as stream:
            known = _FORMATS.get(_suffix(source.path))
            if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                yield stream, _checked(stream, source, known or "text")
            else:  # a pipe, such as a shell's <(command): it has no telling name
                whole = io.BytesIO(stream.read())
                yield whole, _checked(whole, source, known or _sniffed(whole))
    except IsADirectoryError:
        hint = "give one file in it"
        raise DataError("it is a folder, not a file", where=source.file, hint=hint) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = "check its permissions" if isinstance(error, PermissionError) else ""
        what = f"it cannot be read: {reason[:1].lower()}{reason[1:]}"
        raise DataError(what, where=source.file, hint=hint) from None


def _sniffed(stream: io.BytesIO) -> Format:
    """JSON lines if the first line that is not blank is a JSON object, or begins like one."""
    for line in stream:
        if not line.strip():
            continue
        if re.match(rb'\s*\{\s*"', line.removeprefix(BOM)):
            return "jsonl"
        try:
            return "jsonl" if isinstance(parse(line.removeprefix(BOM)), dict) else "text"
        except Fault:
            return "text"
    return "text"


def _checked(stream: BinaryIO, source: Source, kind: Format) -> Format:
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise DataError("the file is empty", where=source.file, hint="a row per example is needed")
    if kind == "parquet":
        return kind
    sign = _utf16(head)
    if sign:
        what = f"not UTF-8: it looks like UTF-16 ({sign})"
        raise DataError(what, where=f"{source.file}:1", hint="save the file as UTF-8")
    for magic, name, hint in _MAGIC:
        if head.startswith(magic):
            raise DataError(f"it is no text: it looks like {name}", where=source.file, hint=hint)
    return kind


def _utf16(head: bytes) -> str:
    """Why the bytes look like UTF-16, or an empty string.

    Without a mark, Latin text has a NUL in every other byte and is valid UTF-8 nevertheless.
    """
    for mark, sign in _UTF16:
        if head.startswith(mark):
            return f"byte 0x{mark[0]:02x} at position 1, {sign}"
    few, many = sorted((head[0::2].count(0), head[1::2].count(0)))
    if many >= 4 and many > len(head) // 8 and few * 8 < many:
        return f"byte 0x00 at position {head.index(0) + 1}, and at many others"
    return ""
