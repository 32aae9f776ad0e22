"""What every reader gives: the records of one file, and where each stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness_rows.problems import Problems
from harness_rows.records import Record, Records

LONGEST = 16 * 2**20
"""Bytes of a row from which it is taken for damage: a file without line ends, an open quote."""
TOO_LONG = f"a row of more than {LONGEST // 2**20} MiB"


@dataclass(frozen=True, slots=True)
class File:
    """A file that rows are read from.

    Attributes:
        label: its name; ids of rows are made of it, so it must not depend on the machine.
        split: what its name says, or empty.
    """

    path: Path
    label: str
    split: str = ""


class Reader(ABC):
    """One file, read once from its front to its end.

    What cannot be used goes to the problems. ``records`` grows while it is read.

    Attributes:
        columns: names, in the order in which they were met.
        kind: what the file is (``CSV with semicolons``).
    """

    kind = ""

    def __init__(self, file: File, problems: Problems) -> None:
        self.file, self.problems = file, problems
        self.columns: dict[str, None] = {}

    @property
    @abstractmethod
    def records(self) -> Records:
        """The usable records."""

    @abstractmethod
    def rows(self) -> Iterator[tuple[int, Record]]:
        """Each usable record and its line (or its number, where rows have no lines), from 1."""

    def wrong(self, reason: str, row: int = 0, column: str | int = "") -> None:
        """Note what is wrong with a row, or with the whole file."""
        self.problems.add(reason, self.file.label, row, column)
