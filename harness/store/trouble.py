"""Why a database could not be written or opened, in words for people instead of DuckDB's."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from harness.errors import EnvironmentFailure
from harness.errors.machine import machine_trouble, trouble_in

REFUSED = (OSError, MemoryError, RuntimeError, duckdb.Error)
"""What opening may raise; a RuntimeError is the library's (threads, names of files)."""

_DAMAGED = (
    ("not a valid DuckDB", "the file is damaged, or no database"),
    ("version number", "another version of DuckDB wrote it"),
    ("Corrupt", "the file is damaged"),
    ("checksum", "the file is damaged"),
    ("Could not read enough", "the file is damaged"),
)
_HOLDER = re.compile(r"PID (\d+)")


def unwritable(path: Path, problem: BaseException) -> EnvironmentFailure:
    """The file could not be written."""
    return EnvironmentFailure(
        f"the run's database cannot be written: {_why(problem)}",
        where=str(path),
        hint="make room, raise the limit or give permission, then run the same command again",
    )


def unopenable(path: Path, problem: BaseException) -> EnvironmentFailure:
    """The file could not be opened."""
    return EnvironmentFailure(
        f"the database cannot be opened: {_why(problem)}",
        where=str(path),
        hint="delete it and run the same `harness iterate` again: it is built anew",
    )


def _why(problem: BaseException) -> str:
    trouble = machine_trouble(problem)
    if trouble is not None:
        return trouble.what
    text = str(problem)
    if holder := _HOLDER.search(text):
        return f"process {holder[1]} has it open"
    return trouble_in(text) or next(
        (meaning for words, meaning in _DAMAGED if words in text),
        "the database library refuses it (--debug shows its words)",
    )
