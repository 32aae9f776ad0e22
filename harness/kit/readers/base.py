"""What every reader gives: the records of one file, where each stands, and what is wrong."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from harness.kit.files import open_regular

LONGEST = 16 * 2**20
"""Bytes of a row from which it is taken for damage: a file without line ends, an open quote."""
TOO_LONG = f"a row of more than {LONGEST // 2**20} MiB"
BOM = b"\xef\xbb\xbf"
SAVE_AS_UTF8 = "save the file as UTF-8"

Record = dict[str, Any]
"""Column -> value, as the file has it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that rows are read from.

    Attributes:
        label: what messages call it. Ids of rows are made of it, so it should not depend on the
            machine where these are used.
        data: the content of what cannot be read twice (a pipe); ``path`` is then None.
        encoding: that of a file whose content has been made UTF-8; empty where it was already.
    """

    path: Path | None
    label: str
    data: bytes = b""
    encoding: str = ""

    @property
    def size(self) -> int:
        """Bytes.

        Raises:
            OSError: the file is not there.
        """
        return len(self.data) if self.path is None else self.path.stat().st_size

    def open(self) -> BinaryIO:
        """The bytes, from the first.

        Raises:
            OSError: the file cannot be read, or is none: a pipe or device never ends.
        """
        return io.BytesIO(self.data) if self.path is None else open_regular(self.path)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps a row, or a whole file, from being used.

    Attributes:
        reason: what is wrong, the same words for all rows of a kind.
        file: its label.
        row: line, or number of the row where rows have no lines; 0 is the whole file.
        column: name of the column, or the character of a line from 1; empty is the whole row.
        about: what is said behind the reason of this row alone: faults that differ in it are of
            one kind.
    """

    reason: str
    file: str
    row: int = 0
    column: str | int = ""
    hint: str = ""
    about: str = ""

    @property
    def place(self) -> str:
        """``file:row:column``, as far as they are known."""
        place = f"{self.file}:{self.row}" if self.row else self.file
        return f"{place}:{self.column}" if self.column else place


Report = Callable[[Fault], None]
"""What gets the faults: :meth:`Problems.add`, or the ``append`` of a list."""


class Records(Protocol):
    """The records of a file, in order."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> Record: ...

    def __iter__(self) -> Iterator[Record]: ...


class Stretches:
    """Records that are stretches of bytes of a file, decoded when they are asked for."""

    def __init__(self, file: File, decode: Callable[[bytes], Record]) -> None:
        self._file, self._decode = file, decode
        self._starts, self._ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        """A further record lies in the bytes from ``start`` to before ``end``."""
        self._starts.append(start)
        self._ends.append(end)

    def raw(self, at: int) -> bytes:
        """The bytes of a record."""
        with self._file.open() as stream:
            stream.seek(self._starts[at])
            return stream.read(self._ends[at] - self._starts[at])

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, at: int, /) -> Record:
        return self._decode(self.raw(at))

    def __iter__(self) -> Iterator[Record]:
        with self._file.open() as stream:
            for start, end in zip(self._starts, self._ends, strict=True):
                stream.seek(start)
                yield self._decode(stream.read(end - start))


class Reader(ABC):
    """One file, read once from its front to its end.

    What cannot be used is reported. ``records`` grows while the file is read.

    Attributes:
        columns: names, in the order in which they were met.
        kind: what the file is (``CSV with semicolons``).
    """

    kind = ""

    def __init__(self, file: File, report: Report) -> None:
        self.file, self.report = file, report
        self.columns: dict[str, None] = {}

    @property
    @abstractmethod
    def records(self) -> Records:
        """The usable records, read anew."""

    @abstractmethod
    def rows(self) -> Iterator[tuple[int, Record]]:
        """Each usable record and its line (or its number, where rows have no lines), from 1.

        Raises:
            OSError: the file cannot be read.
        """

    def wrong(self, reason: str, row: int = 0, column: str | int = "", hint: str = "") -> None:
        """Report what is wrong with a row, or with the whole file."""
        self.report(Fault(reason, self.file.label, row, column, hint))
