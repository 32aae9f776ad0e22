"""``harness rebuild``: everything people look at, made again from what is stored, and equal."""

from __future__ import annotations

import shutil

import pytest

from harness.database.writing import query


@pytest.fixture
def copy(finished, tmp_path_factory):
    project, done = finished
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.folder, folder)
    return type(project)(folder), folder / "reports" / done.document["run"]


def everything(folder):
    database = folder / "run.duckdb"
    views = query(database, "SELECT view_name FROM duckdb_views() WHERE NOT internal").rows
    return {name: query(database, f"FROM {name}").rows for (name,) in views}


@pytest.mark.nightly
def test_the_database_and_the_reports_come_out_equal(copy):
    project, folder = copy
    before = everything(folder)
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".duckdb"}
    for path in folder.iterdir():
        if path.name not in ("summary.json", "config.yaml"):
            path.unlink()
    done = project.inside("rebuild")
    assert done.code == 0, done.err
    assert everything(folder) == before
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".duckdb"} == files


def test_nothing_is_made_that_is_not_stored(copy):
    project, folder = copy
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "generate")
    done = project.inside("rebuild", folder.name)
    assert done.code == 4
    assert "not in the store" in done.err


def test_what_is_there_does_not_shrink_to_what_is_still_stored(copy):
    project, folder = copy
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "train")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    done = project.inside("rebuild", folder.name)
    assert done.code == 4
    assert "not all that it was made from is stored any more" in done.err
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
