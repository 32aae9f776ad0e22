"""A run's database asked from outside: nothing is written, and rows of test are left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from harness.database.asking import open_database, safe_query
from harness.database.contents import RunContents
from harness.database.tables import TABLES
from harness.database.writing import build
from harness.errors import DataError, UsageError
from harness.kit.files import file_digest
from harness_rating.annotations import TABLES as RATING_TABLES
from tests.support.project import Project, Result

SPLIT = [name for name, (layout, _) in TABLES.items() if "split" in layout.columns]
SPLIT += [name for name, (_, columns) in RATING_TABLES.items() if " split:s" in columns]


@pytest.fixture
def path(finished: tuple[Project, Result]) -> Path:
    """The database of a run that has opened its test set."""
    project, result = finished
    return project.folder / "reports" / result.document["run"] / "run.duckdb"


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("place", ["", "main.", "run.main.", "run."])
def test_rows_of_test_are_left_out_however_a_view_is_named(path, place):
    for name in SPLIT:
        sql = f"SELECT count(*) FROM {place}{name} WHERE split = 'test'"
        assert safe_query(path, sql, 30, 10, sealed=True).rows == ((0,),)
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT count(*) FROM predictions WHERE split = 'test'")
        assert rows.fetchall() == [(96,)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM raw.runs", "CREATE TABLE t (a INT)", "CREATE TEMP TABLE t AS SELECT 1",
        "INSERT INTO raw.runs SELECT * FROM raw.runs", "DROP VIEW runs", "COPY runs TO 'x.csv'",
        "ATTACH 'y.duckdb'", "SET threads = 1", "SELECT 1; DROP VIEW runs", "INSTALL httpfs",
        "FROM 'harness.yaml'", "FROM read_text('harness.yaml')",
        "EXPLAIN ANALYZE DELETE FROM raw.runs", "CALL force_checkpoint()", "CHECKPOINT", "BEGIN",
        "SELEC 1", "FROM nowhere",
        "SELECT 1; SELECT 2", "", " ; ", "-- nothing",
    ],
)  # fmt: skip
def test_what_is_no_reading_question_is_one_message(path, sql, monkeypatch):
    folder = path.parents[2]
    monkeypatch.chdir(folder)  # files are named as they lie here
    before = file_digest(path), sorted(path.name for path in folder.iterdir())
    with pytest.raises(UsageError) as refused:
        safe_query(path, sql, 5, 5)
    assert len(refused.value.what.splitlines()) == 1
    assert (file_digest(path), sorted(path.name for path in folder.iterdir())) == before


def test_a_database_is_opened_by_several_at_once(path, tmp_path):
    """As a server's threads do; each has its own limits, and the file as it was when it opened."""
    count = "SELECT count(*) FROM examples"
    own = Path(shutil.copy(path, tmp_path / "it's.duckdb"))
    with open_database(own) as first, open_database(own) as second:
        rows = first(count).rows
        sealed = safe_query(own, count, 5, 5).rows
        assert rows == second(count).rows > sealed == safe_query(own, count, 5, 5).rows
        build(own, RunContents("r", "f1", 0))
        with open_database(own) as later:
            assert later(count).rows == ((0,),) and first(count).rows == rows


def test_an_older_database_is_one_message(path, tmp_path):
    older = shutil.copy(path, tmp_path / "run.duckdb")
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP VIEW ledger")
    with pytest.raises(DataError, match="another version of harness built it: it has no ledger"):
        safe_query(older, "FROM ledger", 5, 5)
    with pytest.raises(DataError, match="it has no ledger"), open_database(older):
        pass
