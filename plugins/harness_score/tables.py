"""Predictions and references out of files, whatever their format.

A source is ``PATH``, ``PATH:COLUMN``, ``-`` (standard input) or ``-:COLUMN``. Suffix and first
bytes say what it is: JSON lines, a JSON array, CSV or TSV with a header, Parquet, Arrow, and else a
text file, in which every line is a row.

Only JSON and Parquet can say that an example has no reference (``null``, or an empty list). An
empty line of a text file and an empty cell of a CSV file are the empty text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from harness import DataError
from harness.kit.readers import (
    Columnar,
    Fault,
    File,
    Kind,
    Problems,
    encodings,
    packed_or_wide,
    reader_of,
)
from harness_score import logs
from harness_score.fields import PREDICTIONS, REFERENCES, Fields, Role, Row
from harness_score.sources import locate, opened

_HINT = "a row per example is needed"


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a file, in its order; there is at least one.

    Attributes:
        name: the file as the user gave it (``out.parquet:answer``), or ``standard input``.
        is_log: whether another evaluation program wrote it, with answers and references.
    """

    name: str
    rows: tuple[Row, ...]
    is_log: bool = False

    @property
    def ids(self) -> list[str] | None:
        """One per row, or None where rows have only their position."""
        return [row.id for row in self.rows if row.id is not None] or None


def read_predictions(source: str, stdin: BinaryIO | None = None) -> Table:
    """One text per row: the column that the source names, else ``text``, else ``prediction``.

    Args:
        stdin: what ``-`` reads; the process's standard input by default.

    Raises:
        DataError: anything is wrong with the file or its rows; all problems are counted.
        UsageError: the source names no file, or no column behind its colon.
    """
    return _read(source, stdin, PREDICTIONS)


def read_references(
    source: str, stdin: BinaryIO | None = None, nested: Collection[str] = ()
) -> Table:
    """No, one or several texts per row: the column named, else ``references``, ``reference``,
    the last turn of ``messages`` if it is the assistant's, or ``text``.

    Takes and raises what :func:`read_predictions` does.

    Args:
        nested: other fields that are kept, as JSON text, where they hold lists or objects.
    """
    return _read(source, stdin, REFERENCES, nested)


def _read(name: str, stdin: BinaryIO | None, role: Role, nested: Collection[str] = ()) -> Table:
    source = locate(name)
    problems = Problems()
    fields = Fields(source, role, problems, nested)
    with opened(source, stdin) as (file, kind, head):
        if not head:
            raise DataError("the file is empty", where=source.file, hint=_HINT)
        is_log, records = _records(file, kind, head, problems, fields)
        if is_log:
            rows = tuple(_with_scores(records, fields))
        else:
            rows = tuple(row for place, record in records if (row := fields.row(place, record)))
    problems.refuse(source.file)
    if not rows or (kind is None and not is_log and not any(row.texts[0].strip() for row in rows)):
        only = "the table is empty" if kind == "parquet" else "there are only blank lines"
        only = "the log has no samples" if is_log else only
        raise DataError(f"no rows at all: {only}", where=source.file, hint=_HINT)
    return Table(source.name, rows, is_log)


def _with_scores(records: logs.Rows, fields: Fields) -> Iterator[Row]:
    for place, record in records:
        own = record.pop(logs.SCORES, {})
        if row := fields.row(place, record):
            yield replace(row, scores=own.get(fields.field, {}))


def _records(
    file: File, kind: Kind | None, head: bytes, problems: Problems, fields: Fields
) -> tuple[bool, logs.Rows]:
    """Whether the file is another program's log, and its records with their places."""

    def wrong(place: logs.Place, reason: str, hint: str) -> None:
        problems.add(Fault(reason, f"{file.label}:{place}", hint=hint))

    rows = logs.of_file(file, kind, head, wrong, answers=not fields.role.several)
    if rows is not None:
        return True, _without_answers(rows, fields)
    if kind not in ("parquet", "arrow") and (reason := packed_or_wide(head)):
        raise DataError(reason, where=file.label)
    if kind not in ("parquet", "arrow") and (fault := encodings.fault(file)):
        raise DataError(f"{fault.reason}{fault.about}", where=fault.place, hint=fault.hint)
    reader = reader_of(file, kind, problems.add)
    if isinstance(reader, Columnar):
        reader.skim(fields.needed)
        return False, reader.rows()
    is_log, rows = logs.of_records(reader.rows(), wrong)
    return is_log, _without_answers(rows, fields) if is_log else rows


def _without_answers(rows: logs.Rows, fields: Fields) -> logs.Rows:
    """A log's rows as they are read for references: what was answered is no fact of a row."""
    if not fields.role.several or fields.source.column is not None:
        return rows
    wanted = ("id", "references", "meta")
    return ((place, {key: row.get(key) for key in wanted}) for place, row in rows)
