"""Predictions and references out of files, whatever their format.

A source is ``PATH``, ``PATH:COLUMN``, ``-`` (standard input) or ``-:COLUMN``. Suffix and first
bytes say what it is: JSON lines, a JSON array, CSV or TSV with a header, Parquet, Arrow, and else a
text file, in which every line is a row.

Only JSON and Parquet can say that an example has no reference (``null``, or an empty list). An
empty line of a text file and an empty cell of a CSV file are the empty text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from harness import DataError
from harness.readers import Columnar, Problems, packed_or_wide, reader_of
from harness_score.fields import PREDICTIONS, REFERENCES, Fields, Role, Row
from harness_score.sources import locate, opened

_HINT = "a row per example is needed"


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a file, in its order; there is at least one.

    Attributes:
        name: the file as the user gave it (``out.parquet:answer``), or ``standard input``.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def has_ids(self) -> bool:
        """Whether every row has an id; where this is False, none has."""
        return bool(self.rows) and self.rows[0].id is not None


def read_predictions(source: str, stdin: BinaryIO | None = None) -> Table:
    """One text per row: the column that the source names, else ``text``, else ``prediction``.

    Args:
        stdin: what ``-`` reads; the process's standard input by default.

    Raises:
        DataError: anything is wrong with the file or its rows; all problems are counted.
        UsageError: the source names no file, or no column behind its colon.
    """
    return _read(source, stdin, PREDICTIONS)


def read_references(source: str, stdin: BinaryIO | None = None) -> Table:
    """No, one or several texts per row: the column named, else ``references``, ``reference``,
    the last turn of ``messages`` if it is the assistant's, or ``text``.

    Takes and raises what :func:`read_predictions` does.
    """
    return _read(source, stdin, REFERENCES)


def _read(name: str, stdin: BinaryIO | None, role: Role) -> Table:
    source = locate(name)
    problems = Problems()
    fields = Fields(source, role, problems)
    with opened(source, stdin) as (file, kind, head):
        if not head:
            raise DataError("the file is empty", where=source.file, hint=_HINT)
        if kind not in ("parquet", "arrow") and (reason := packed_or_wide(head)):
            raise DataError(reason, where=source.file)
        reader = reader_of(file, kind, problems.add)
        if isinstance(reader, Columnar):
            reader.skim(fields.needed)
        rows = tuple(row for number, record in reader.rows() if (row := fields.row(number, record)))
    problems.refuse(source.file)
    if not rows or (kind is None and not any(row.texts[0].strip() for row in rows)):
        only = "the table is empty" if kind == "parquet" else "there are only blank lines"
        raise DataError(f"no rows at all: {only}", where=source.file, hint=_HINT)
    return Table(source.name, rows)
