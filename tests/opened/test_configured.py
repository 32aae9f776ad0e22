"""``harness.open_config``: a config's metrics and rows, and the count of looks at test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness
from tests.support.project import SHOWING


@pytest.fixture
def config(finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> harness.ConfigView:
    shutil.copytree(finished[0].folder, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return harness.open_config(Path("harness.yaml"))


def test_it_has_the_metrics_and_the_rows_of_its_source(config: harness.ConfigView) -> None:
    assert [entry.score_names for entry in config.metrics] == [("overlap",)]
    rows = config.rows("dev")
    assert list(rows) == list(harness.open_run().rows("dev"))
    answers = [harness.Prediction(row.id, row.references[0]) for row in rows]
    assert harness.evaluate(rows, answers, config.metrics).scores["overlap"].value == 1


def test_test_is_opened_in_so_many_words_and_each_look_is_counted(
    config: harness.ConfigView,
) -> None:
    with pytest.raises(harness.UsageError, match="sealed"):
        config.rows("test")
    ledger = Path(".harness/test-openings.jsonl")

    def openings() -> int:
        return sum("opening" in json.loads(line) and "run" in json.loads(line)
                   for line in ledger.read_text("utf-8").splitlines())  # fmt: skip

    before = openings()
    (overlap,), other = config.metrics, harness.make_metrics({"exact": {"plugin": "exact"}})
    looks = [(("a", overlap), 2), (("a", overlap), 2), (("b", overlap), 3), (("a", *other), 4)]
    for (answers, metric), number in looks:
        rows, opened = config.open_test("a check", answers, [metric])
        assert {row.split for row in rows} == {"test"}
        assert [opening.looks for opening in opened.values()] == [number]
    assert openings() == before + 3


@pytest.fixture
def showing(project: Any, monkeypatch: pytest.MonkeyPatch) -> harness.ConfigView:
    monkeypatch.chdir(project.folder)
    return harness.open_config(project.write(SHOWING))


def test_rows_are_shown_as_the_trainer_gives_them_to_the_base_model(
    showing: harness.ConfigView,
) -> None:
    config = showing
    assert (config.base().kind, config.base().name) == ("base", "fake")
    rows = config.rows("dev")[:2]
    shown = config.rendered(rows)
    assert [one.id for one in shown] == [row.id for row in rows]
    for one, row in zip(shown, rows, strict=True):
        learned = [t for t, trained in zip(one.tokens, one.trained, strict=True) if trained]
        assert learned == [*row.references[0].split(), "<end>"]
        assert row.prompt in "".join(one.tokens)
    assert config.config()["train"]["plugin"] == "showing"


def test_all_rows_can_be_counted_and_a_model_says_whether_it_is_here(
    config: harness.ConfigView, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {row.split for row in config.every_row()} == {"train", "pool", "dev", "test"}
    assert config.at_hand() is True
    monkeypatch.setattr(type(config._config.model.instance), "at_hand", lambda self: False)
    assert config.at_hand() is False


def test_a_trainer_that_cannot_show_rows_says_so(config: harness.ConfigView) -> None:
    with pytest.raises(harness.UsageError, match="trainer 'fake' cannot show rows") as refused:
        config.rendered(config.rows("dev")[:1])
    assert "train" in refused.value.where


def test_what_is_wrong_is_told_at_once(config: harness.ConfigView) -> None:
    with pytest.raises(harness.ConfigError) as refused:
        harness.open_config(Path("harness.yaml"), ["train.nothing=1", "primary=other"])
    assert len(refused.value.details) == 2
    with pytest.raises(harness.DataError, match="'other' has no row"):
        config.rows("other")
