"""A file in the place of a run's database that harness has not made."""

from __future__ import annotations

import duckdb
import pytest


@pytest.mark.parametrize("command", [("errors",), ("why", "dev-1"), ("compare", "0", "1")])
def test_a_foreign_database_is_named_with_the_way_out(short, command):
    project, _ = short
    (path,) = project.folder.glob("reports/*/run.duckdb")
    with duckdb.connect(path) as own:
        views = [name for (name,) in own.execute(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()]  # fmt: skip
    path.unlink()
    with duckdb.connect(path) as foreign:
        for name in views:
            foreign.execute(f"CREATE VIEW {name} AS SELECT 1 AS x")
    done = project.inside(*command)
    assert (
        done.code == 4 and "harness rebuild" in done.err and "no database that harness" in done.err
    )
