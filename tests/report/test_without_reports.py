"""A run whose reports were deleted: found in the store, and made again."""

from __future__ import annotations

import json
import shutil

import pytest

LOOKING = ("rebuild", "report", "errors", "runs")


@pytest.mark.nightly(but_each=8)
@pytest.mark.parametrize("command", LOOKING)
@pytest.mark.parametrize("named", [True, False])
def test_a_finished_run_is_found_without_its_reports(short, command, named):
    short, _ = short
    folder = short.folder / "reports"
    before = {path.name: path.read_bytes() for path in folder.glob("*/summary.json")}
    (run,) = (path.name for path in folder.iterdir())
    shutil.rmtree(folder)
    done = short.inside(command, *([run] if named and command != "runs" else []))
    assert done.code == 0, done.err
    if command == "runs":
        assert run in done.out and "no runs yet" not in done.out
    assert {path.name: path.read_bytes() for path in folder.glob("*/summary.json")} == before
    if command != "runs":
        assert (folder / run / "run.duckdb").exists()


def test_a_run_that_is_not_finished_is_made_from_its_rounds(short):
    short, _ = short
    folder = short.folder / "reports"
    (run,) = (path.name for path in folder.iterdir())
    shutil.rmtree(folder)
    shutil.rmtree(short.folder / ".harness" / "artifacts" / "summary")
    done = short.inside("errors")
    assert done.code == 2 and f"harness rebuild {run}" in done.err
    assert short.inside("rebuild", run).code == 0
    assert json.loads((folder / run / "summary.json").read_text())["run"] == run
    assert short.inside("report", run).code == 0


def test_a_summary_of_rounds_that_count_no_more_is_not_shown(short):
    short, _ = short
    folder = short.folder / "reports"
    (run,) = (path.name for path in folder.iterdir())
    shutil.rmtree(folder)
    journal = short.folder / ".harness" / "runs" / run / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0])
    done = short.inside("runs")
    assert done.code == 0 and run not in done.out
