"""The DuckDB file of one run: the index that people, reports and notebooks query.

It is never changed and never migrated. :func:`build` writes it whole from records, under a
temporary name, and renames it; so a reader is never blocked, sees one state, and a damaged or
old file is replaced by building again. Tables live in the schema ``raw`` and are private; the
views in ``main`` (see ``docs/database.md``) are stable.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import duckdb

from harness.database.columns import SEALED, Layout, Row
from harness.database.contents import RunContents
from harness.database.slices import is_stored, stored_features, where_sql
from harness.database.tables import TABLES, Groups
from harness.database.views import VIEWS
from harness.errors import EnvironmentFailure, UsageError
from harness.errors.machine import machine_trouble, trouble_in
from harness.kit import files
from harness.kit.blocks import Block, Column, Note, Table
from harness.kit.cells import as_word
from harness.kit.text import one_line, storable

MEMORY = "1GB"
MOST_SHOWN = 100
"""Rows that a notebook shows of an answer."""
CELL, SHORT = 300, 24
"""Characters of a cell there; of one that is never wrapped."""
BLOCK = 4_000
"""Rows of a table that are laid out in columns at once."""
_ALONE = {"enable_external_access": "false", "lock_configuration": "true"}
"""Settings under which no other file can be reached."""
WHOLE = "SET pandas_analyze_sample = 1_000_000_000"
"""Otherwise a column's type is that of a sample of its values, which a larger number overflows."""
_ROW_GROUP, _SMALL = 122_880, 32 << 20
"""DuckDB deals out groups of so many rows to its threads, which cost more than they save where
there is one group: in a table of fewer rows, and in a file of fewer bytes."""
_UNWRITABLE = (
    OSError, MemoryError, duckdb.IOException, duckdb.FatalException,
    duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.InternalException,
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to a query, a table in a notebook; ``cut`` if there were more rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool = False

    def _repr_html_(self) -> str:
        """A table of the first 100 rows, for a notebook."""
        from harness.kit.html.notebook import in_notebook

        shown = self.rows[:MOST_SHOWN]
        blocks: list[Block] = [Note("No row.")]
        if shown:
            columns = [
                _column(name, [row[at] for row in shown]) for at, name in enumerate(self.columns)
            ]
            rows = tuple(tuple(as_word(value, CELL) or None for value in row) for row in shown)
            blocks = [Table(tuple(columns), rows, "what was asked for")]
        if self.cut or len(shown) < len(self.rows):
            blocks.append(Note(f"These are the first {len(shown)} rows."))
        return in_notebook(blocks)


def _column(name: str, values: Sequence[Any]) -> Column:
    """A column of a table: numbers to the right, and nothing wrapped that is short."""
    there = [value for value in values if value is not None]
    if there and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in there
    ):
        return Column(as_word(name, 40), "number")
    short = all(len(as_word(value, CELL)) <= SHORT for value in there)
    return Column(as_word(name, 40), "word" if short else "line")


def build(path: Path, contents: RunContents) -> None:
    """Write the file whole and put it in place of an older one in a single step.

    The same contents in any order give a file that answers every query equally. Only one
    process may build a run's file at a time (the run's lock sees to that).

    Raises:
        EnvironmentFailure: the file cannot be written (disk full, no permission).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _write(temporary, contents)
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except _UNWRITABLE as problem:
        raise unwritable(path, problem) from problem
    finally:
        _sweep(path)


class Asking(Protocol):
    """What :func:`reading` gives."""

    def __call__(
        self, sql: str, limit_seconds: float = 30.0, limit_rows: int | None = None
    ) -> QueryResult: ...


@contextlib.contextmanager
def reading(path: Path, *, spare: bool = False, sealed: bool = False) -> Iterator[Asking]:
    """The file, opened once for many queries; each is what :func:`query` is.

    Args:
        spare: give the queries 1 GB of memory and no room on the disk.
        sealed: the views hide the rows of test.

    Raises:
        UsageError: no such file.
        EnvironmentFailure: it cannot be opened.
    """
    if path.is_dir():
        hint = "that of a run is harness.find_reports(NAME) / 'run.duckdb'"
        raise UsageError("this is a folder, and a database is a file", where=str(path), hint=hint)
    if not path.exists():
        raise UsageError("there is no database here yet", where=str(path))
    with _opened(path, spare) as connection:
        if sealed:
            connection.execute(f"SET VARIABLE {SEALED} = true")
        yield functools.partial(_answer, connection, path)


def query(
    path: Path, sql: str, limit_seconds: float = 30.0, limit_rows: int | None = None
) -> QueryResult:
    """The rows of one read-only query; no other file can be read or written by it.

    A single call of a function is only stopped at its end, after its time.

    Raises:
        UsageError: no such file, wrong SQL, or the time is over.
        EnvironmentFailure: the file cannot be opened.
    """
    with reading(path) as ask:
        return ask(sql, limit_seconds, limit_rows)


def _answer(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    sql: str,
    limit_seconds: float = 30.0,
    limit_rows: int | None = None,
) -> QueryResult:
    timer = threading.Timer(limit_seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        cursor = connection.execute(sql)
        if cursor is None:
            raise UsageError("there is no query in it", hint="SELECT …")
        columns = tuple(str(column[0]) for column in cursor.description or ())
        if limit_rows is None:
            return QueryResult(columns, tuple(cursor.fetchall()))
        rows = cursor.fetchmany(limit_rows + 1)
        return QueryResult(columns, tuple(rows[:limit_rows]), cut=len(rows) > limit_rows)
    except duckdb.InterruptException:
        raise UsageError(
            f"the query took longer than {limit_seconds:g} s", where=str(path)
        ) from None
    except duckdb.OutOfMemoryException:
        raise UsageError(
            "the query needs more memory than there is for one", hint="ask for less at a time"
        ) from None
    except duckdb.IOException as problem:  # no query may read another file
        raise unopenable(path, problem) from problem
    except duckdb.Error as problem:
        raise UsageError(_first_line(problem), hint=_offered(connection, sql, problem)) from problem
    finally:
        timer.cancel()


_NEAR = re.compile(r"^(?:Candidate bindings|Did you mean):? .*", re.MULTILINE)
_NO_COLUMN = re.compile(r"Referenced column|does not have a column named|Candidate bindings")


def _offered(connection: duckdb.DuckDBPyConnection, sql: str, problem: duckdb.Error) -> str:
    """What DuckDB offers in place of a name that it does not know, and the names that there are."""
    near = _NEAR.search(str(problem))
    lines = [one_line(near[0], 300)] if near else []
    if _NO_COLUMN.search(str(problem)):
        lines += [f"{table} has {names}" for table, names in _columns_of(connection, sql)]
    if len(lines) <= bool(near):
        lines.append("`SHOW TABLES` lists the tables, `DESCRIBE rounds` the columns of one")
    return "; ".join(lines)


def _columns_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[str, str]]:
    """Each table and view that a query names, with its columns."""
    try:
        for table in sorted(connection.get_table_names(sql)):
            columns = connection.execute(
                "SELECT string_agg(column_name, ', ' ORDER BY column_index) FROM duckdb_columns() "
                "WHERE table_name = ? AND schema_name = 'main'", [table],
            ).fetchone()  # fmt: skip
            if columns and columns[0]:
                yield table, columns[0]
    except duckdb.Error:  # the names are help, and no answer
        return


@contextlib.contextmanager
def _opened(path: Path, spare: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        config = {"memory_limit": MEMORY} if spare else {}
        if path.stat().st_size < _SMALL:
            config["threads"] = "1"
        # By its path DuckDB would open it once in a process: for all with the settings of the
        # first, and the old file where another took its place meanwhile.
        connection = duckdb.connect(config={**config})
        _silence(connection)
        # The place to spill to can only be set while the disk is at hand.
        spill = "" if spare else f"{path}.tmp"
        own = "; ".join(f"SET {name} = {value}" for name, value in _ALONE.items())
        connection.execute(
            f"SET temp_directory = {_literal(spill)}; "
            f"ATTACH {_literal(str(path))} AS run (READ_ONLY, TYPE duckdb); USE run; {own}"
        )
    except REFUSED as problem:
        raise unopenable(path, problem) from problem
    try:
        yield connection
    finally:
        connection.close()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _silence(connection: duckdb.DuckDBPyConnection) -> None:
    """Where it takes Python for interactive, DuckDB draws a bar on standard output after 2 s."""
    # In a notebook without ipywidgets it has no bar, and refuses to be told of any.
    with contextlib.suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")


def _write(path: Path, contents: RunContents) -> None:
    config = {"memory_limit": MEMORY}
    if sum(len(answers.predictions) for answers in contents.answers) < _ROW_GROUP:
        config["threads"] = "1"
    connection = duckdb.connect(str(path), config={**config})
    try:
        _silence(connection)
        connection.execute(WHOLE)
        connection.execute("BEGIN")
        _declare(connection, {name: layout for name, (layout, _) in contents.annotations.items()})
        for name, (layout, groups_of) in TABLES.items():
            _fill(connection, name, layout, groups_of(contents))
        for name, (layout, rows) in contents.annotations.items():
            _fill(connection, name, layout, [({}, rows)])
        _fill_members(connection, contents)
        connection.execute("COMMIT; CHECKPOINT")
    finally:
        connection.close()


def views(layouts: Mapping[str, Layout]) -> dict[str, dict[str, str]]:
    """View -> its columns with their types, of a database with these further tables."""
    connection = duckdb.connect()
    try:
        _declare(connection, layouts)
        described = {name: connection.execute(f"DESCRIBE {name}").fetchall()
                     for name in (*TABLES, *layouts, *VIEWS)}  # fmt: skip
        return {name: {row[0]: row[1] for row in rows} for name, rows in described.items()}
    finally:
        connection.close()


def _declare(connection: duckdb.DuckDBPyConnection, further: Mapping[str, Layout]) -> None:
    """All tables and views, with further tables of plugins."""
    connection.execute("CREATE SCHEMA raw")
    tables = {name: layout for name, (layout, _) in TABLES.items()} | dict(further)
    for name, layout in tables.items():
        connection.execute(f"{layout.ddl(name)}; {layout.view(name)}")
    for name, sql in VIEWS.items():
        connection.execute(f"CREATE VIEW main.{name} AS {sql}")


def _fill(connection: duckdb.DuckDBPyConnection, name: str, layout: Layout, groups: Groups) -> None:
    """The rows of a table, sorted; DuckDB reads arrays of NumPy in place."""
    import numpy as np

    blocks = [
        layout.block(block, shared) for shared, rows in groups for block in _blocks(iter(rows))
    ]
    if blocks:
        columns = {column: np.concatenate([block[column] for block in blocks])
                   for column in layout.columns}  # fmt: skip
        connection.register("incoming", columns)
        connection.execute(f"INSERT INTO raw.{name} FROM incoming ORDER BY {layout.order}")
        connection.unregister("incoming")


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _fill_members(connection: duckdb.DuckDBPyConnection, contents: RunContents) -> None:
    """Which dev rows each slice holds, by the slice's own SQL."""
    features = stored_features(contents)
    for (arm, number), weak in contents.slices.items():
        stored = [slice_ for slice_ in weak if is_stored(slice_, features)]
        if not stored:
            continue
        # One statement for all slices of a round: the answers are joined once, not for each.
        holds = ", ".join(
            f"{{slice: ?, place: {place}, holds: {where_sql(slice_)}}}"
            for place, slice_ in enumerate(stored)
        )
        connection.execute(
            "INSERT INTO raw.slice_members SELECT arm, round, member.slice, id FROM ("
            f"SELECT arm, round, id, unnest([{holds}]) AS member "
            "FROM main.examples JOIN main.predictions USING (id, split) "
            "WHERE split = 'dev' AND arm = ? AND round = ?"
            ") WHERE member.holds ORDER BY member.place, id",
            [*(storable(slice_.words) for slice_ in stored), arm, number],
        )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        files.fsync(handle)
    finally:
        os.close(handle)


def _sweep(path: Path) -> None:
    """Remove what a killed build left behind (its file, its log, its spilled blocks)."""
    for stale in path.parent.glob(f".{path.name}.*.tmp*"):
        if stale.is_dir():
            shutil.rmtree(stale, ignore_errors=True)
        else:
            stale.unlink(missing_ok=True)


def _first_line(problem: BaseException) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0] if lines else type(problem).__name__


# -- why it could not be written or opened, in words for people instead of DuckDB's ----------------


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
