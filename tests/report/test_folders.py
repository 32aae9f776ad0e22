"""The runs of a folder: the latest ones alone, and how many there are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import harness
from tests.support.project import Project, Result

MANY = 53


@pytest.fixture
def many(short: tuple[Project, Result], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder of 53 runs, of which run 01 is the latest but one, and run 02 is damaged."""
    project, first = short
    monkeypatch.chdir(project.folder)
    for number in range(1, MANY):
        summary = project.folder / "reports" / f"run {number:02d}" / "summary.json"
        summary.parent.mkdir()
        summary.write_text(json.dumps(first.document) if number != 2 else "{")
        os.utime(summary, (2e9 - number, 2e9 - number))
    return project


def names(rows: list[Any]) -> list[str]:
    return [row["run"] if isinstance(row, dict) else row.run for row in rows]


def test_the_latest_50_are_listed_and_how_many_there_are(many: Project) -> None:
    done = many.inside("runs")
    shown = [line.split()[1] for line in done.out.splitlines() if line.startswith("run ")][1:]
    assert shown == [f"{number:02d}" for number in range(1, 52) if number != 2]
    assert "the latest 50 of 53 runs: --last 53 shows all" in done.out
    assert done.err.count("is passed over") == 1


def test_so_many_are_listed_as_are_asked_for_and_as_json_all(many: Project) -> None:
    asked = many.inside("runs", "--last", "3", "--json").document
    assert names(asked) == ["run 01", "run 03", "run 04"]
    assert len(many.inside("runs", "--json").document) == MANY - 1
    everything = many.inside("runs", "--last", "53").out
    assert "run 52" in everything and "shows all" not in everything
    assert many.inside("runs", "--last", "0").code == 2


def test_the_latest_50_are_compared_and_as_json_all(many: Project) -> None:
    note = "The latest 50 of 53 runs: --last 53 shows all."
    shown = many.inside("compare", "--all", COLUMNS="160")
    assert shown.code == 0 and note in shown.out
    assert "run 51" in shown.out and "run 52" not in shown.out
    asked = many.inside("compare", "--all", "--last", "2", "--json").document
    assert names(asked["runs"]) == ["run 03", "run 01"]
    assert asked["notes"] == ["The latest 2 of 53 runs: --last 53 shows all."]
    every = many.inside("compare", "--all", "--json").document
    assert len(every["runs"]) == MANY - 1 and every["notes"] == []


def test_last_goes_with_all(many: Project) -> None:
    done = many.inside("compare", "0", "1", "--last", "2")
    assert done.code == 2 and "--last goes with --all" in done.err


def test_of_summaries_those_that_are_wanted_are_read(
    many: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert names([*harness.summaries(1)]) == ["run 01"]
    assert capsys.readouterr().err == ""
    assert names([*harness.summaries(2)]) == ["run 01", "run 03"]
    assert "run 02/summary.json is passed over" in capsys.readouterr().err


def test_a_run_that_has_reports_is_found_by_its_name_alone(many: Project) -> None:
    assert harness.find_reports("run 07") == Path("reports", "run 07")
    with pytest.raises(harness.UsageError, match="no run is called 'run 77'"):
        harness.find_reports("run 77")
