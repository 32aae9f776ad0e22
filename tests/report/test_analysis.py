"""Every number of a report comes from the database, by the SQL that the appendix gives."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.database.writing import query
from harness.records import analysis as records
from harness.report.analysis import Terms, analyse
from harness.report.queries import QUERIES
from harness.report.reading import read_analysis, read_summary


@pytest.fixture(scope="module")
def run(finished):
    project, done = finished
    folder = project.folder / "reports" / done.document["run"]
    return folder, json.loads((folder / "analysis.json").read_text())


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_of_the_appendix_gives_the_table_of_the_report(run, name):
    folder, analysis = run
    (told,) = [one for one in analysis["queries"] if one["name"] == name]
    found = query(folder / "run.duckdb", told["sql"])
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert json.loads(json.dumps(rows)) == analysis["tables"][name]


RECORDS = [kind for kind in vars(records).values() if isinstance(getattr(kind, "table", None), str)]


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_the_record_of_a_table_has_its_columns(run, kind):
    folder, analysis = run
    columns = query(folder / "run.duckdb", QUERIES[kind.table].sql).columns
    assert [field.name for field in dataclasses.fields(kind)] == list(columns)
    assert len(read_analysis(folder).rows(kind)) == len(analysis["tables"][kind.table])


def test_the_tables_say_what_the_summary_says(run):
    _, analysis = run
    for entry, row in zip(analysis["rounds"], analysis["tables"]["rounds"], strict=True):
        score = entry["scores"][analysis["primary"]]
        assert (row["round"], row["score"]) == (entry["round"], score["value"])
        assert (row["label"], row["kept"]) == (entry["verdict"]["label"], entry["kept"])
        assert row["difference"] == entry["verdict"]["difference"]
        errors = {r["category"]: r["answers"] for r in analysis["tables"]["categories"]
                  if r["round"] == entry["round"]}  # fmt: skip
        assert errors == entry["errors"]
    assert analysis["bounds"] == [0.0, 1.0]
    test = {r["name"]: r["value"] for r in analysis["tables"]["scores"]
            if (r["split"], r["round"]) == ("test", analysis["kept_round"])}  # fmt: skip
    assert test == {n: s["value"] for n, s in analysis["test"]["kept"].items()}
    ledger = sum(row["answers"] for row in analysis["tables"]["ledger"])
    assert ledger == len(analysis["examples"]) == 48


def test_a_table_that_cannot_be_had_is_named_and_the_rest_stands(run, monkeypatch):
    folder, _ = run
    broken = dict(QUERIES) | {"ledger": type(QUERIES["ledger"])("x", "SELECT nothing FROM no")}
    monkeypatch.setattr("harness.report.analysis.QUERIES", broken)
    summary = read_summary(folder / "summary.json")
    found = analyse(summary, folder / "run.duckdb", Terms(right_at=0.5))
    assert found.bounds == (None, None)
    assert "ledger" not in found.tables and "no" in found.failed["ledger"]
    assert found.tables["rounds"]
