"""``harness.rescore``: a run's stored answers measured again, in Python."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import harness


@pytest.fixture
def run(finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copytree(finished[0].folder, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return str(finished[1].document["run"])


def scores_kept(run: str) -> list[str]:
    database = harness.find_reports(run) / "run.duckdb"
    return [name for (name,) in harness.query(database, "SELECT DISTINCT name FROM rescores").rows]


def test_scores_of_other_metrics_are_kept_when_that_is_asked(run: str) -> None:
    pieces: list[tuple[str, int]] = []
    again = harness.rescore(
        run, {"same": {"plugin": "exact"}}, progress=lambda *piece: pieces.append(piece)
    )
    assert list(again.systems) == ["round 0", "round 1", "round 2", "round 3"]
    assert pieces[0] == ("round 0: same", 4) and len(pieces) == 4
    gain = harness.compare_systems({"last": again.systems["round 3"]}, again.systems["round 0"])
    assert gain["last"]["same-exact"].n == 48
    assert "optimistic" in again.remarks[0]
    assert scores_kept(run) == []
    assert again.keep() == ""
    assert scores_kept(run) == ["same-exact"]


def test_the_runs_own_metrics_add_nothing(run: str) -> None:
    again = harness.rescore(run)
    view = harness.open_run(run)
    values = again.systems["round 2"].values
    assert [values[row.id]["overlap"] for row in view.rows("dev")] == view.values(2)["overlap"]
    again.keep()
    assert scores_kept(run) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "test"}, "sealed"),
        ({"split": "train"}, "not 'train'"),
        ({"metrics": {"exact": {"no": 1}}}, "1 problem"),
    ],
)
def test_what_cannot_be_done_is_refused(run: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        harness.rescore(run, **options)
