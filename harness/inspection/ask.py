"""One question in SQL: what may be asked, and what is said where it may not."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from harness.errors import DataError, UsageError
from harness.inspection.index import REBUILD
from harness.store import Table, reading
from harness.store_tables import TABLES
from harness.store_views import VIEWS

MORE_TIME = "--seconds N gives it more time"

_READING = {"SELECT", "MULTI", "EXPLAIN", "PRAGMA"}
"""Kinds of statements; ``MULTI`` is how DuckDB carries out a PIVOT."""
_ABSENT = re.compile(r"(?:Table|View) with name (\w+) does not exist")


def ask(path: Path, sql: str, seconds: float, limit: int) -> Table:
    """The answer to one reading statement, with little memory and no room on the disk.

    Raises:
        UsageError: it is none, or more than one, or would write; it is wrong SQL; or its time
            is over.
        DataError: the database was built by another version and lacks what is asked for.
    """
    _check(sql)
    try:
        with reading(path, spare=True) as asking:
            return asking(sql, seconds, limit)
    except UsageError as problem:
        absent = _ABSENT.search(problem.what)
        if absent and absent[1] in {*TABLES, *VIEWS}:
            raise DataError(
                f"another version of harness built it: it has no {absent[1]}",
                where=str(path),
                hint=REBUILD,
            ) from None
        if "longer than" in problem.what:
            problem.hint = MORE_TIME
        raise


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
