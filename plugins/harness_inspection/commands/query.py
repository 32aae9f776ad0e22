"""Ask a run's database in SQL; read-only, without the test rows."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand

import harness
from harness.kit.blocks import Column, Table
from harness.kit.cells import as_cell, as_json, as_word, distinct, guarded, objects
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import RunName, takes

app = typer.Typer()

MOST_SHOWN = 100
MOST_WRITTEN = 100_000
"""Rows, so that a query without end cannot fill the memory before its time is over."""
CELL = 200
"""Characters of a text in a cell."""
LONG = 2_400
"""Characters of a value of a single row."""


@dataclass(frozen=True, slots=True)
class Question:
    """The command line."""

    sql: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="SQL", help='such as "FROM rounds"'),
    ] = None
    run: RunName = None
    as_json: Annotated[bool, typer.Option("--json", help="a list of objects")] = False
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, safe to open as a sheet")] = False
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--limit", min=1, metavar="N", help="most rows (default: 100; written 100,000)"
        ),
    ] = None
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.001, metavar="S", help="time limit")
    ] = 30.0
    examples: Annotated[bool, typer.Option("--examples", help="print ready questions")] = False
    open_test: Annotated[
        bool,
        typer.Option(
            "--open-test", help="include the sealed test rows; counts as a test-set evaluation"
        ),
    ] = False

    def check(self) -> str:
        """The SQL; raises UsageError for what cannot be meant."""
        if self.as_json and self.as_csv:
            raise harness.UsageError("--json and --csv exclude each other")
        return self.sql or ""


class Sql(TyperCommand):
    """Takes SQL that begins with a comment for SQL, and for no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_COMMENT.sub("\n--", text) for text in args])


_COMMENT = re.compile(r"\A--(?=\s)")


_WITHOUT_TEST = (
    "no rows of test were read: a query is tried without them first, and has to work so, too "
    "(name the columns of a PIVOT: ON round IN (0, 1))"
)


@app.command(cls=Sql)
@takes(Question)
def query(question: Question) -> None:
    """Ask a run's database in SQL; read-only, without the test rows.

    A run in progress may be asked too: it is not disturbed.
    """
    from harness_inspection.database import DATABASE
    from harness_inspection.query_process import ask_apart
    from harness_inspection.questions import QUESTIONS

    if question.examples:
        sys.stdout.write(
            "\n\n".join(f"-- {words}\n{sql}" for words, sql in QUESTIONS.items()) + "\n"
        )
        return
    sql = question.check()
    written = question.as_json or question.as_csv
    limit = question.limit or (MOST_WRITTEN if written else MOST_SHOWN)
    folder = harness.current_reports(question.run)
    sealed = not question.open_test
    if not sealed:
        _need_opened(folder)
        # A mistake in the query fails here, and is no look. What fails only on test rows is one:
        # messages of failed conversions quote what they read.
        try:
            ask_apart(folder / DATABASE, sql, question.seconds, limit, sealed=True)
        except harness.UsageError as error:
            error.details += (_WITHOUT_TEST,)
            raise
        harness.open_run(folder.name).count_look("asked by harness query")
    result = ask_apart(folder / DATABASE, sql, question.seconds, limit, sealed=sealed)
    notes = [f"only the first {limit:,} rows are given: --limit N"] if result.cut else []
    if sealed and "'test'" in sql:
        notes.append(
            "rows of test are left out; --open-test includes them, counted as a test-set evaluation"
        )
    if question.as_json:
        _write_json(result)
    elif question.as_csv:
        _write_csv(result)
    else:
        notes += _show(result, Console())
    for note in notes:
        tables.note(Console(stderr=True), f"note: {note}", "yellow")


def _need_opened(folder: Path) -> None:
    """Refuse where the run's test set is not open at all."""
    from harness_inspection.database import DATABASE
    from harness_inspection.sealed import not_opened

    sql = "SELECT 1 FROM examples WHERE split = 'test' LIMIT 1"
    if not harness.query(folder / DATABASE, sql).rows:
        raise not_opened(folder.name)


def _write_json(result: harness.QueryResult) -> None:
    """A list of objects, one in each line."""
    lines = (json.dumps(row, allow_nan=False) for row in objects(result.columns, result.rows))
    sys.stdout.write("[" + ",\n ".join(lines) + "]\n")


def _write_csv(result: harness.QueryResult) -> None:
    # Every text is quoted: a sheet that parts cells by other signs than commas leaves it whole.
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([guarded(name) for name in distinct(result.columns)])
    writer.writerows([as_cell(value) for value in row] for row in result.rows)


def _show(result: harness.QueryResult, console: Console) -> list[str]:
    """Print the rows; returns what was cut."""
    names = distinct(result.columns)
    columns = tuple(
        Column(
            as_word(name, 40), "number" if _numeric(result, place) else "line", spare=place
        )
        for place, name in enumerate(names)
    )  # fmt: skip
    rows = tuple(tuple(map(_cell, row)) for row in result.rows)
    lines = (tuple(column.title for column in columns), *rows)
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(columns))]
    cut = sum(widths) + tables.GAP * (len(columns) - 1) > console.width
    if cut and len(rows) == 1:
        return _show_single(names, result.rows[0], console)
    draw_rows(Table(columns, rows, "what was asked for"), console)
    notes = [] if rows else ["no row"]
    return [*notes, *(["what has no room is cut; --json or --csv gives all"] * cut)]


def _show_single(names: Sequence[str], row: Sequence[Any], console: Console) -> list[str]:
    """One row as lines of name and value."""
    for name, value in zip(names, row, strict=True):
        line = Text.assemble((f"{as_word(name, 40)}  ", "bold"), _cell(value, LONG))
        console.print(line, highlight=False)
    long = any(len(as_word(value, LONG + 1)) > LONG for value in row)
    return ["long values are cut; --json or --csv gives all"] if long else []


def _numeric(result: harness.QueryResult, place: int) -> bool:
    values = [row[place] for row in result.rows if row[place] is not None]
    return bool(values) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )


def _cell(value: Any, limit: int = CELL) -> str:
    return "null" if as_json(value) is None else as_word(value, limit)
