"""What the user typed, as a file and perhaps one of its columns."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness import DataError, UsageError, near
from harness.kit.files import read_at_most, read_whole
from harness.kit.readers import BOM, SUFFIXES, File, Kind, kind_of
from harness.kit.strict_json import Fault, parse
from harness.kit.text import one_line

STANDARD_INPUT = "standard input"
_HEAD = 4096
_LARGEST_PIPE = 2**30
_MANY = 2000  # names that are compared with a wrong one


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
    """Tell path and column apart: the longest path that exists wins, else the last colon parts.

    Raises:
        UsageError: nothing stands before or behind the colon.
        DataError: there is no such file.
    """
    if source == "-":
        return Source(STANDARD_INPUT, None, None)
    head, colon, column = source.rpartition(":")
    if not colon or not _missing(source):
        return Source(source, _there(source), None)
    # A column may have colons itself, as the names of promptfoo's providers.
    shorter = head
    while ":" in shorter and _missing(shorter):
        shorter = shorter.rpartition(":")[0]
    if shorter and not _missing(shorter):
        head, column = shorter, source[len(shorter) + 1 :]
    if not column or not head:
        what = f"`{one_line(source, 60)}` names no {'column' if head else 'file'}"
        raise UsageError(what, hint="write PATH, or PATH:COLUMN")
    if head == "-":
        return Source(f"{STANDARD_INPUT}:{column}", None, column)
    is_path = "/" in column or os.sep in column or _suffix(column) in SUFFIXES
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
def opened(source: Source, stdin: BinaryIO | None) -> Iterator[tuple[File, Kind | None, bytes]]:
    """The source as a file, its kind (None: text), and its first bytes.

    Raises:
        DataError: it is a folder, or cannot be read, now or while it is read.
    """
    try:
        suffix = _suffix(source.path or "")
        if source.path is None:
            file = File(
                None,
                source.file,
                read_at_most(stdin or sys.stdin.buffer, _LARGEST_PIPE, source.file),
            )
        elif stat.S_ISREG(os.stat(source.path).st_mode):
            file = File(Path(source.path), source.file)
        else:  # a pipe that the shell has opened, by <(command), is read once
            file = File(None, source.file, read_whole(Path(source.path), _LARGEST_PIPE))
        if file.path is None and suffix not in SUFFIXES and _begins_as_json_lines(file.data):
            suffix = ".jsonl"
        with file.open() as stream:
            head = stream.read(_HEAD)
        yield file, kind_of(file, suffix), head
    except IsADirectoryError:
        hint = "give one file in it"
        raise DataError("it is a folder, not a file", where=source.file, hint=hint) from None
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "check its permissions" if isinstance(error, PermissionError) else ""
        what = f"it cannot be read: {reason[:1].lower()}{reason[1:]}"
        raise DataError(what, where=source.file, hint=hint) from None


def _begins_as_json_lines(data: bytes) -> bool:
    """Whether the first line that is not blank is a JSON object, or begins like one."""
    line = next((line for line in io.BytesIO(data.removeprefix(BOM)) if line.strip()), b"")
    if re.match(rb'\s*\{\s*"', line):
        return True
    try:
        return isinstance(parse(line), dict)
    except Fault:
        return False
