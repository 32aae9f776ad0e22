"""A closed round read back whole, and looks at the test set, by ``harness.open_run``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import harness
from tests.support.project import Project, Result


@pytest.fixture
def run(
    finished: tuple[Project, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> harness.RunView:
    """A run that has ended, in the folder of the test."""
    project, result = finished
    shutil.copytree(project.folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return harness.open_run(result.document["run"])


def test_a_round_tells_what_the_summary_tells_of_it(
    run: harness.RunView, finished: tuple[Project, Result]
) -> None:
    summary = finished[1].document
    for told in reversed(summary["rounds"]):
        number = told["round"]
        closed = run.round(number)
        assert (closed.run, closed.result.round) == (run.name, number)
        assert closed.result.verdict.label == told["verdict"]["label"]
        assert closed.primary == summary["primary"]
        assert closed.scores["overlap"].value == told["scores"]["overlap"]["value"]
        assert closed.card.scores["overlap"] == closed.scores["overlap"]
        assert [closed.right[row.id] for row in run.rows("dev")] == run.right(number)
        assert len(closed.train) == (closed.result.train_rows if number else 0)
        assert closed.config == run.config()


def test_an_answer_is_right_from_the_value_that_the_metric_names(run: harness.RunView) -> None:
    closed = run.round(1)
    at = closed.right_at
    assert at is not None and closed.primary_metric.name == "overlap"
    judged = [closed.is_right(value) for value in (at, at - 0.01, None)]
    assert judged == [True, False, None]


def test_two_rounds_are_compared_as_two_systems(run: harness.RunView) -> None:
    first, last = run.round(0), run.round(2)
    gain = harness.compare_systems({"last": last.card}, first.card, seed=last.seed)["last"][
        "overlap"
    ]
    shown = harness.query(
        harness.find_reports() / "run.duckdb",
        "SELECT avg(new.value) - avg(old.value) FROM example_scores old "
        "JOIN example_scores new USING (arm, split, id, name) WHERE arm = 'main' "
        "AND split = 'dev' AND name = 'overlap' AND old.round = 0 AND new.round = 2",
    )
    assert gain.difference == pytest.approx(shown.rows[0][0])


def test_a_round_that_is_not_closed_or_not_stored_is_said(run: harness.RunView) -> None:
    with pytest.raises(harness.DataError, match="round 9 is not closed"):
        run.round(9)
    shutil.rmtree(".harness/artifacts/score")
    with pytest.raises(harness.DataError, match="not in the store"):
        harness.open_run(run.name).round(0)
    assert not Path(".harness/artifacts/score").exists()


def test_a_look_at_a_row_of_test_is_counted_once(run: harness.RunView) -> None:
    def openings() -> int:
        lines = Path(".harness/test-openings.jsonl").read_text().splitlines()
        return sum("run" in json.loads(line) for line in lines)

    assert run.in_test("test-3") and not run.in_test("dev-3")
    before = openings()
    for _ in range(2):
        run.count_look("looked at by a notebook")
        assert openings() == before + 1
