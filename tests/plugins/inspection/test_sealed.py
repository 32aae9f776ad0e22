"""``harness query`` and the sealed test set: hidden until asked for, and then counted."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from tests.plugins.inspection.test_why import openings


@pytest.fixture(scope="module")
def opened(tmp_path_factory, finished):
    """A copy of a run that has opened its test set, and its name."""
    project, result = finished
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.folder, folder)
    return type(project)(folder), result.document["run"]


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize(
    "sql",
    [
        "FROM raw.examples", 'FROM "RAW" . examples', "FROM run.raw.examples",
        "SELECT * FROM (SELECT 1) t, raw.examples", "FROM query('FROM ra' || 'w.examples')",
        "FROM query_table('raw.examples')", "FROM /* x */ raw /* y */ . predictions",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM raw.examples'))",
        "FROM pragma_storage_info('raw.examples')", "PRAGMA storage_info('raw.examples')",
        "FROM duckdb_table_sample('raw.examples')",
    ],
)  # fmt: skip
def test_nothing_passes_by_the_views(opened, sql):
    project, run = opened
    before = openings(project)
    result = project.inside("query", sql, run)
    assert result.code == 2 and "test-" not in result.out and openings(project) == before


def test_a_column_or_a_text_called_raw_is_no_harm(opened):
    project, run = opened
    asked = project.inside(
        "query", "SELECT 'raw.x' AS raw, count(*) AS n FROM rounds", run, "--json"
    )
    assert asked.document == [{"raw": "raw.x", "n": 4}]


def test_open_test_shows_them_and_is_a_look(opened):
    project, run = opened
    before = openings(project)
    sql = "SELECT count(*) AS n FROM predictions WHERE split = 'test'"
    hidden = project.inside("query", sql, run, "--json")
    assert hidden.document == [{"n": 0}] and "--open-test" in hidden.err
    failed = project.inside("query", "SELECT no_such_column FROM predictions", run, "--open-test")
    assert failed.code == 2 and openings(project) == before
    assert "tried without them first" in " ".join(failed.err.split())
    pivot = "PIVOT (SELECT round FROM predictions WHERE split = 'test') ON round{} USING count(*)"
    columns = f'SELECT "0" AS answers FROM ({pivot})'
    bare = project.inside("query", columns.format(""), run, "--open-test")
    assert bare.code == 2 and "ON round IN (0, 1)" in " ".join(bare.err.split())
    assert openings(project) == before
    cast = "SELECT text::INTEGER FROM predictions WHERE split = 'test'"
    quoting = project.inside("query", cast, run, "--open-test")
    assert quoting.code == 2 and "Could not convert string" in quoting.err
    assert openings(project) == [*before, f"{run} asked by harness query"]
    shown = project.inside("query", sql, run, "--json", "--open-test")
    assert shown.document == [{"n": 96}]
    named = project.inside("query", columns.format(" IN (0, 1)"), run, "--json", "--open-test")
    assert named.document == [{"answers": 48}]
    assert openings(project) == [*before, f"{run} asked by harness query"]
    project.inside("query", sql, run, "--open-test")
    assert len(openings(project)) == len(before) + 1


def test_there_is_nothing_to_look_at_before_the_run_has_opened_it(project):
    project.inside("iterate", "--rounds", "1", "--no-test")
    result = project.inside("query", "FROM examples", "--open-test")
    assert result.code == 4 and "not opened yet" in result.err
    assert not (project.folder / ".harness" / "test-openings.jsonl").exists()


@pytest.mark.nightly
def test_a_database_whose_views_know_no_seal_is_built_again(opened):
    project, run = opened
    path = project.folder / "reports" / run / "run.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE OR REPLACE VIEW main.examples AS SELECT * FROM raw.examples")
    result = project.inside("query", "FROM rounds", run)
    assert result.code == 4 and "harness rebuild" in result.err
    assert project.inside("rebuild", run).code == 0
    assert project.inside("query", "FROM rounds", run).code == 0
