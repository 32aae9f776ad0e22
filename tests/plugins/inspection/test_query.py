"""``harness query``: whatever is asked, nothing is written, and nothing that is shown acts."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import re
import signal
import time
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

import harness
from harness import safe_query
from harness.database import writing
from harness.kit.cells import as_cell, distinct
from harness.kit.lock import exclusive
from harness_inspection.questions import QUESTIONS

HOSTILE = "SELECT '[/b]\x1b[31mred\x1b[0m\u202e' || chr(0) || repeat('x', 1000000) AS text"
ENDLESS = "SELECT sum(hash(a.range + b.range)) FROM range(10000000) a, range(10000000) b"


def parsed(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_table_for_people(finished):
    project, _ = finished
    found = project.inside("query", "SELECT round, label FROM rounds ORDER BY round")
    lines = [line.split() for line in found.out.splitlines()]
    assert lines[:2] == [["round", "label"], ["0", "baseline"]] and len(lines) == 5
    assert not found.err


@pytest.mark.nightly
def test_the_latest_run_is_the_default(finished):
    project, result = finished
    name = result.document["run"]
    for arguments in ([], [name]):
        found = project.inside("query", "SELECT run FROM runs", *arguments, "--json")
        assert found.document == [{"run": name}]
    found = project.inside("query", "FROM runs", name + "x")
    assert found.code == 2 and f"did you mean '{name}'?" in found.err


@pytest.mark.nightly
def test_a_wide_table_is_cut_to_the_terminal_and_says_so(finished):
    project, _ = finished
    for sql, width in (("FROM rounds", 80), ("FROM predictions", 120), ("FROM examples", 80)):
        found = project.inside("query", sql, COLUMNS=str(width))
        assert max(map(len, found.out.splitlines())) <= width
        assert "--json or --csv gives" in found.err
    one = project.inside("query", "FROM runs", COLUMNS="80")
    assert re.search(r"^kept_round +\d", one.out, re.MULTILINE) and not one.err.strip()


def test_an_unknown_column_names_those_that_are_near_and_all_of_its_tables(finished):
    project, _ = finished
    found = project.inside("query", "SELECT verdict_labl FROM rounds")
    told = " ".join(found.err.split())
    assert found.code == 2 and 'Referenced column "verdict_labl" not found' in told
    assert "Candidate bindings: " in told and "; rounds has arm, round, train_rows, " in told
    for sql in ("SELECT s.nam FROM scores s, rounds", "WITH a AS (SELECT nme FROM scores) FROM a"):
        told = " ".join(project.inside("query", sql).err.split())
        assert "scores has arm, round, split, name, " in told and "SHOW TABLES" not in told
    near = " ".join(project.inside("query", "FROM rond").err.split())
    assert "Did you mean" in near and "SHOW TABLES" in near


@pytest.mark.nightly
def test_a_limit_says_that_there_is_more(finished):
    project, _ = finished
    for form in ([], ["--json"], ["--csv"]):
        found = project.inside("query", "SELECT id FROM examples", "--limit", "3", *form)
        assert "only the first 3 rows" in found.err
    assert len(project.inside("query", "FROM examples", "--limit", "3", "--json").document) == 3
    assert "no row" in project.inside("query", "FROM examples WHERE id = 'none'").err


@pytest.mark.nightly
def test_json_has_no_nan_and_loses_no_column(finished):
    project, _ = finished
    sql = (
        "SELECT 1 AS a, 2 AS a, 'nan'::DOUBLE AS n, 'inf'::DOUBLE AS i, 1.5 AS d, NULL AS z, "
        "[1, 2] AS l, {'k': 'v'} AS s, DATE '2026-01-02' AS t, true AS b"
    )
    assert project.inside("query", sql, "--json").document == [
        {"a": 1, "a_2": 2, "n": None, "i": None, "d": 1.5, "z": None, "l": [1, 2],
         "s": {"k": "v"}, "t": "2026-01-02", "b": True}
    ]  # fmt: skip
    assert project.inside("query", "FROM rounds WHERE false", "--json").document == []


FORMULAS = [
    "=1+1",
    "+1",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "\u200b=1",
    "\x1b[0m=1",
]


def test_a_cell_is_never_a_formula(finished):
    project, _ = finished
    columns = ", ".join(f"'{text}' AS \"={text}\"" for text in FORMULAS)
    found = project.inside("query", f"SELECT {columns}, -5 AS n", "--csv")
    head, cells = parsed(found.out)
    assert len(cells) == len(FORMULAS) + 1
    assert all(cell.startswith("'") for cell in cells[:-1])
    assert all(name.startswith("'=") for name in head[:-1])
    assert cells[-1] == "-5"
    assert not set(found.out) & set("\x1b\r\u200b")


@given(st.text(max_size=20))
@example("\x85")
def test_no_text_becomes_a_formula(text):
    cell = as_cell(text)
    assert isinstance(cell, str) and not cell.startswith(tuple("=+-@\t\r\n"))


def test_csv_values(finished):
    project, _ = finished
    sql = "SELECT 'a,\"b\"' AS t, NULL AS z, true AS b, 0.5 AS f, ['x'] AS l, 'plain' AS p"
    assert parsed(project.inside("query", sql, "--csv").out) == [
        ["t", "z", "b", "f", "l", "p"], ['a,"b"', "", "true", "0.5", '["x"]', "plain"],
    ]  # fmt: skip


def test_hostile_text_is_text(finished):
    project, _ = finished
    for form in ([], ["--csv"]):
        found = project.inside("query", HOSTILE, *form, COLUMNS="80")
        assert found.code == 0 and "[/b]red" in found.out
        assert not set(found.out + found.err) & set("\x1b\x00\u202e")
    name = project.inside("query", 'SELECT 1 AS "[/b]\x1b[31m"')
    assert name.code == 0 and "[/b]" in name.out and "\x1b" not in name.out
    wrong = project.inside("query", "SELECT \x1b[31m [/b] FROM")
    assert wrong.code == 2 and "\x1b" not in wrong.err


def test_it_is_told_by_the_command(finished):
    found = finished[0].inside("query", "--", "DELETE FROM raw.runs")
    assert found.code == 2 and found.err.startswith("usage: ") and not found.out
    assert found.err.count("\n") <= 3


def test_a_query_that_never_ends_is_stopped(finished):
    project, _ = finished
    found = project.inside("query", ENDLESS, "--seconds", "0.3")
    assert found.code == 2 and "longer than 0.3 s" in found.err and "--seconds" in found.err
    # So many rows would not fit the memory: the first ones are given.
    many = project.inside("query", "FROM range(1000000000000)", "--csv", "--limit", "5")
    assert many.code == 0 and len(many.out.splitlines()) == 6


@pytest.mark.nightly
def test_one_call_without_end_is_stopped_too(finished):
    """DuckDB itself would stop it at its end only."""
    project, _ = finished
    sql = "SELECT length(repeat('x', 4000000000))"
    started = time.perf_counter()
    found = project.inside("query", sql, "--seconds", "0.5")
    assert found.code == 2 and "longer than 0.5 s" in found.err and "--seconds" in found.err
    assert time.perf_counter() - started < 5 and not multiprocessing.active_children()


@pytest.mark.nightly
def test_an_interrupt_ends_the_question_at_once(finished):
    project, _ = finished
    asked = project.start("query", "SELECT length(repeat('x', 4000000000))", "--seconds", "300")
    children = Path(f"/proc/{asked.pid}/task/{asked.pid}/children")
    if not children.exists():
        asked.kill()
        pytest.skip("only Linux tells which processes a process has started")
    until = time.monotonic() + 30
    while not (child := children.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    asked.send_signal(signal.SIGINT)
    assert asked.wait(5) == 130
    asked.communicate()
    assert not Path(f"/proc/{child}").exists()


def test_a_question_that_is_ended_from_outside_is_one_message(finished, monkeypatch):
    project, _ = finished
    end = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
    monkeypatch.setattr(harness, "safe_query", end)
    found = project.inside("query", "FROM runs")
    assert found.code == 3 and "ended from outside (exit code -9)" in found.err


def test_a_question_gets_little_memory_and_no_disk(finished, monkeypatch):
    monkeypatch.setattr(writing, "MEMORY", "100MB")
    project, result = finished
    reports = project.folder / "reports" / result.document["run"]
    before = sorted(reports.iterdir())
    sql = "SELECT count(*) FROM (SELECT DISTINCT repeat('x', 100) || range FROM range(2000000))"
    found = project.inside("query", sql)
    assert found.code == 2 and "more memory" in found.err and sorted(reports.iterdir()) == before


def test_sql_may_begin_with_a_comment(finished):
    project, _ = finished
    found = project.inside("query", "-- How many?\nSELECT count(*) AS n FROM runs", "--json")
    assert found.code == 0 and found.document == [{"n": 1}]
    assert project.inside("query", "--nothing").code == 2


def test_forms_exclude_each_other(finished):
    project, _ = finished
    assert project.inside("query", "FROM runs", "--json", "--csv").code == 2
    assert "--examples" in project.inside("query").err


def test_a_run_in_progress_is_not_disturbed(finished):
    project, result = finished
    name = result.document["run"]
    with exclusive(project.folder / ".harness" / "runs" / name / "lock"):
        assert project.inside("query", "FROM rounds", name).code == 0


def test_every_ready_question_runs_and_is_listed(finished):
    project, result = finished
    listed = project.inside("query", "--examples").out
    path = project.folder / "reports" / result.document["run"] / "run.duckdb"
    for question, sql in QUESTIONS.items():
        block = f"-- {question}\n{sql}"
        assert safe_query(path, block, 5, 50).columns, sql
        assert block in listed


def test_names_of_columns_are_made_distinct():
    assert distinct(["a", "a", "a_2", "b", "a"]) == ["a", "a_2", "a_2_2", "b", "a_3"]
