"""``harness.open_run``: the trained model of a round."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness


@pytest.fixture
def run(finished: Any, monkeypatch: pytest.MonkeyPatch) -> harness.RunView:
    project, _ = finished
    monkeypatch.chdir(project.folder)
    return harness.open_run()


def test_the_model_is_that_of_the_best_round(run: harness.RunView, finished: Any) -> None:
    best = finished[1].document["kept_round"]
    assert best > 0
    assert run.model() == run.model(best)
    folders = [Path(run.model(number).path) for number in (1, 2, 3)]
    skills = [json.loads((folder / "skill.json").read_text("utf-8")) for folder in folders]
    assert skills[0] < skills[1] < skills[2]


def test_what_has_no_model_is_an_error(run: harness.RunView) -> None:
    with pytest.raises(harness.UsageError, match=r"round 0 of run .* is the base model"):
        run.model(0)
    with pytest.raises(harness.UsageError, match="no closed round 9"):
        run.model(9)


def test_a_model_that_is_not_stored_any_more_is_an_error(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished[0].folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    run = harness.open_run()
    shutil.rmtree(run.model(2).path)
    with pytest.raises(harness.DataError, match=r"the model of round 2 of run .* is not stored"):
        run.model(2)
