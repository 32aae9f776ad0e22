"""Rows written after cleaning: where to, and with which columns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Example, Report
from harness.terminal.targets import write_target
from harness_rows.commands.data.opening import opened
from harness_rows.commands.data.request import Request
from harness_rows.commands.data.writing import SUFFIXES, Target, encoded
from harness_rows.reading import Reading
from harness_rows.records import Record
from harness_rows.roles import MISSING, value_of


@dataclass(frozen=True, slots=True)
class Clean:
    """Rows all of which could be read, with their original columns.

    Attributes:
        sealed: whether no text of test may be shown.
    """

    where: str
    rows: tuple[Example, ...]
    reading: Reading
    sealed: bool

    @property
    def said(self) -> tuple[str, ...]:
        """Which format was recognised, and by what."""
        return self.reading.said


def new_file(option: str, path: Path | None) -> None:
    """Raises UsageError where no new ``.jsonl`` file can be."""
    if path is None:
        return
    if path.suffix not in SUFFIXES:
        raise harness.UsageError(
            f"{option} {path}: rows are written as JSON lines", hint="name a new .jsonl file"
        )
    Target.of(path, option)


def readable(request: Request, begin: Callable[[str], Report]) -> Clean:
    """The rows of the request, all of which can be read.

    Raises:
        DataError: some cannot; a row that was left out would be lost.
        UsageError: the data are not read by the source ``rows``.
    """
    found = opened(request, begin)
    if found.reading is None:
        raise harness.UsageError(
            f"{found.where} gives rows of its own, which have no columns to be written",
            hint="name a file: harness data … FILE",
        )
    found.reading.refuse()
    return Clean(found.where, found.rows, found.reading, found.sealed)


def records(reading: Reading) -> Iterator[Record]:
    """The original columns of each row; a split that only the name of its file said is added."""
    column = (*reading.columns.get("split", ()), "split")[0]
    for row, record in zip(reading.rows, reading.records, strict=True):
        said = not row.split or value_of(record, column) not in (MISSING, None, "")
        yield record if said else {**record, column: row.split}


def write(files: Sequence[tuple[str, Path, Sequence[Record]]]) -> None:
    """Write all files of (option, path, rows), or none.

    Raises:
        EnvironmentFailure: the system refuses.
    """
    written: list[Path] = []
    try:
        for option, path, rows in files:
            write_target(option, path, encoded(rows))
            written.append(path)
    except BaseException:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
