"""What a reference gets against the other references of its row, in a run of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import harness
from harness.opened import opened, replay
from harness.records.context import Quiet
from harness.report import references
from harness.report.references import between_references
from harness.steps import Steps
from tests.support.project import TWO_REFERENCES, Project
from tests.support.two_references import Nearest, TwoSource

Stored = tuple[Any, Any, Mapping[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """The steps and the history of a stored run, and its analysis."""
    project = Project(tmp_path_factory.mktemp("two"))
    project.write(TWO_REFERENCES)
    done = project.inside("iterate", "--no-test", "--json")
    assert done.code == 0, done.err
    document = project.inside("report", "--json").document
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        steps, history = replay(opened(document["run"], Quiet()))
        yield steps, history, document


def found_by(run: Stored, primary: str, rows: Sequence[harness.Example] = ()) -> Any:
    """The same by another primary score, or on other rows."""
    steps, history, _ = run
    settings = steps.config.settings
    changed = settings.model_copy(update={"primary": primary})
    data = history.data
    if rows:
        data = dataclasses.replace(data, examples=tuple(rows))
    with pytest.MonkeyPatch.context() as patch:
        config = dataclasses.replace(steps.config, settings=changed)
        patch.setattr(steps.run, "config", config)
        return between_references(Steps(steps.run), dataclasses.replace(history, data=data))


def expected(rows: list[harness.Example], metric: Nearest) -> float:
    """Each reference against the other one, by hand."""
    values = [
        metric.measure(harness.Prediction(row.id, own), harness.Example("x", (), (other,)))
        for row in rows
        for own, other in (row.references, row.references[::-1])
    ]
    return float(np.mean(values))


def test_each_reference_is_scored_against_the_other_and_the_answer_against_the_same(
    run: Stored,
) -> None:
    *_, document = run
    found = document["between_references"]
    dev = [row for row in TwoSource(TwoSource.Options()).load(None) if row.split == "dev"]
    value = expected(dev, Nearest(Nearest.Options()))
    assert found["references"]["value"] == pytest.approx(value)
    assert found["references"]["low"] < value < found["references"]["high"]
    assert (found["round"], found["rows"], found["groups"]) == (document["kept_round"], 48, 24)
    # The answer has a reference less than for its own score, so it gets no more.
    own = document["rounds"][document["kept_round"]]["scores"]["nearest"]["value"]
    assert found["model"]["value"] < own
    gap = found["difference"]
    assert gap["value"] == pytest.approx(found["model"]["value"] - value)
    assert gap["low"] < gap["value"] < gap["high"] < 0


def test_where_less_is_better_the_difference_is_turned(run: Stored) -> None:
    more, less = (found_by(run, name) for name in ("nearest", "wrong"))
    assert less.model.value == pytest.approx(1 - more.model.value)
    assert less.difference.value == pytest.approx(more.difference.value)
    assert harness.to_json(found_by(run, "nearest")) == run[2]["between_references"]


@pytest.mark.parametrize("name", ["asking", "failing", "whole"])
def test_nothing_is_said_by_a_metric_that_cannot(run: Stored, name: str) -> None:
    assert found_by(run, name) is None


@pytest.mark.parametrize(("single", "rows"), [(48, None), (30, None), (24, 24)])
def test_rows_with_one_reference_do_not_count(run: Stored, single: int, rows: int | None) -> None:
    given = run[1].data.split("dev")
    cut = [
        dataclasses.replace(row, references=row.references[:1]) if place < single else row
        for place, row in enumerate(given)
    ]
    found = found_by(run, "nearest", cut)
    assert (found and found.rows) == rows


def test_of_very_many_rows_and_references_some_are_drawn(
    run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run[2]["between_references"]
    monkeypatch.setattr(references, "MOST_ROWS", 30)
    monkeypatch.setattr(references, "MOST_REFERENCES", 1)
    found = found_by(run, "nearest")
    assert found.rows == 30 and found.groups >= 20
    # The first reference alone is taken for the answer.
    assert found.references.value != whole["references"]["value"]
    shuffled = list(reversed(run[1].data.split("dev")))
    assert found_by(run, "nearest", shuffled).references == found.references
