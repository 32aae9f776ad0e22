"""Predictions and references out of files, whatever their format.

A source is ``PATH``, ``PATH:COLUMN``, ``-`` (standard input) or ``-:COLUMN``. The suffix says
what it is: JSON lines (``.jsonl``, ``.ndjson``, ``.json``, the last also with an array), CSV or
TSV with a header, Parquet, and else a text file, in which every line is a row. Standard input
is JSON lines if it begins with a JSON object, else text.

Only JSON and Parquet can say that an example has no reference (``null``, or an empty list). An
empty line of a text file and an empty cell of a CSV file are the empty text.
"""

from __future__ import annotations

from typing import BinaryIO

from harness import DataError
from harness_score.readers import formats
from harness_score.readers.fields import PREDICTIONS, REFERENCES, Fields, Role
from harness_score.readers.opening import Format, locate, opened
from harness_score.readers.problems import Problems
from harness_score.readers.table import Row, Table

__all__ = ["Row", "Table", "read_predictions", "read_references"]


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
    problems = Problems(source.file)
    with opened(source, stdin) as (stream, kind):
        fields = Fields(source, role, problems)
        records = _records(stream, kind, fields, problems)
        rows = tuple(row for number, record in records if (row := fields.row(number, record)))
    problems.refuse()
    if not rows or (kind == "text" and not any(row.texts[0].strip() for row in rows)):
        only = "there are only blank lines" if kind != "parquet" else "the table is empty"
        raise DataError(
            f"no rows at all: {only}", where=source.file, hint="a row per example is needed"
        )
    return Table(source.name, rows)


def _records(stream: BinaryIO, kind: Format, fields: Fields, problems: Problems) -> formats.Records:
    if kind == "jsonl":
        return formats.json_lines(stream, problems)
    if kind == "json":
        return formats.json_file(stream, problems)
    if kind == "csv":
        return formats.csv_rows(stream, problems, ",")
    if kind == "tsv":
        return formats.csv_rows(stream, problems, "\t")
    if kind == "text":
        return formats.text_lines(stream, problems)
    from harness_score.readers.parquet import parquet_rows

    return parquet_rows(stream, problems.file, fields.needed)
