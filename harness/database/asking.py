"""A run's database asked from outside: by commands, and in SQL that somebody typed."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from harness.database.columns import SEALED
from harness.database.tables import TABLES
from harness.database.views import VIEWS
from harness.database.writing import Asking, QueryResult, reading
from harness.errors import DataError, UsageError

_BY_NAME = {
    "query", "query_table", "json_execute_serialized_sql", "pragma_storage_info", "storage_info",
    "duckdb_table_sample",
}  # fmt: skip
"""Functions that take SQL or the name of a table as text."""
_READING = {"SELECT", "MULTI", "EXPLAIN", "PRAGMA"}
"""Kinds of statements; ``MULTI`` is how DuckDB carries out a PIVOT."""
_KNOWS_THE_SEAL = (
    f"FROM duckdb_views() WHERE view_name = 'examples' AND sql LIKE '%getvariable(''{SEALED}'')%'"
)
_VIEWS = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
_ABSENT = re.compile(r"(?:Table|View) with name (\w+) does not exist")


@contextlib.contextmanager
def open_database(path: Path, *, sealed: bool = False) -> Iterator[Asking]:
    """A run's database, opened once for many queries, as it is now: a run that goes on is not
    disturbed, and changes none of it.

    Args:
        sealed: rows of test are left out.

    Returns:
        what answers SQL: the query, then perhaps its seconds (30) and the most rows (all).

    Raises:
        UsageError: there is none.
        DataError: another version built it, and it lacks a view of ``docs/database.md``.
        EnvironmentFailure: it cannot be opened.
    """
    with reading(path, sealed=sealed) as ask:
        known = {name for (name,) in ask(_VIEWS).rows}
        if lacking := sorted({*TABLES, *VIEWS} - known):
            raise _of_another_version(path, f"it has no {_some(lacking)}")
        yield ask


def safe_query(
    path: Path, sql: str, limit_seconds: float, limit_rows: int, *, sealed: bool = True
) -> QueryResult:
    """The answer to one statement that somebody typed, with little memory and no room on the disk.

    Args:
        sealed: rows of test are left out.

    Raises:
        UsageError: it is none, or more than one, or would write; it is wrong SQL; it reads
            private tables, where rows of test are left out; or its time is over.
        DataError: the database was built by another version and lacks what is asked for.
    """
    _check(sql)
    if sealed and _passes_by_views(sql):
        raise UsageError(
            "the schema raw, and queries or tables given as text, pass by the views, which leave "
            "out rows of test",
            hint="ask the views (SHOW TABLES); --open-test to read it all the same",
        )
    with reading(path, spare=True, sealed=sealed) as ask:
        if sealed and not ask(_KNOWS_THE_SEAL).rows:
            raise _of_another_version(path, "its views cannot leave out rows of test")
        try:
            return ask(sql, limit_seconds, limit_rows)
        except UsageError as problem:
            absent = _ABSENT.search(problem.what)
            if absent and absent[1] in {*TABLES, *VIEWS}:
                raise _of_another_version(path, f"it has no {absent[1]}") from None
            raise


def _of_another_version(path: Path, what: str) -> DataError:
    return DataError(
        f"another version of harness built it: {what}",
        where=str(path),
        hint="`harness rebuild RUN` makes it again from what the run has stored",
    )


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _passes_by_views(sql: str) -> bool:
    """Whether a statement names the schema of private tables, or gives SQL or a table as text."""
    tokens = duckdb.tokenize(sql)
    ends = [*(start for start, _ in tokens[1:]), len(sql)]
    texts = [
        re.split(r"--|/\*", sql[start:end], maxsplit=1)[0].strip().strip('"').casefold()
        for (start, kind), end in zip(tokens, ends, strict=True)
        if kind not in (duckdb.token_type.comment, duckdb.token_type.string_const)
    ]
    return any(
        (name == "raw" and after == ".") or (name in _BY_NAME and after == "(")
        for name, after in itertools.pairwise(texts)
    )


def _check(sql: str) -> None:
    try:
        kinds = [statement.type.name for statement in duckdb.extract_statements(sql)]
    except duckdb.Error:
        return  # the database itself says what is wrong with it
    if not kinds:
        raise UsageError(
            "there is no SQL to ask", hint='harness query "FROM rounds", or --examples'
        )
    if len(kinds) > 1:
        raise UsageError(f"these are {len(kinds)} statements: ask one at a time")
    if kinds[0] not in _READING:
        raise UsageError(
            f"this would {kinds[0].lower()}, and a run's database is only read",
            hint="SELECT, FROM, WITH, PIVOT, DESCRIBE, SHOW and EXPLAIN ask",
        )
