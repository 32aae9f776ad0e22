"""The search of settings in reports: its trials, the best first, and as lines across axes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.kit.blocks import Chart, Note, Paragraph, Table, flaw
from harness.kit.html.charts import chart
from harness.records.analysis import Analysis
from harness_levers.document import ShownLevers
from harness_levers.search.section import SearchSection
from tests.support.documents import filled, whole

SECTION = SearchSection()


def trial(number: int, rate: float, kind: str, *folds: float, state: str = "done") -> Any:
    return {
        "number": number, "values": {"train.rate": rate, "train.kind": kind}, "folds": list(folds),
        "value": sum(folds) / len(folds) if state == "done" else None, "state": state,
        "seconds": 2.0, "failed": "no <b>memory</b>" if state == "failed" else None,
    }  # fmt: skip


TRIALS = [
    trial(0, 1e-3, "a", 0.5, 0.7), trial(1, 1e-4, "b", 0.9, state="pruned"),
    trial(2, 1e-2, "b", 0.3, 0.5), trial(3, 1e-1, "a", state="failed"),
]  # fmt: skip


def told_of(search: dict[str, Any] | None) -> Analysis:
    """A document with no round, and this search."""
    levers = filled(ShownLevers, {"reference": 1, "search": search})
    return whole({"primary": "f1", "rounds": [], "experiments": {"levers": levers}})


def document(**changed: Any) -> Analysis:
    found = {
        "by": "loss", "higher_is_better": False, "folds": 2, "rows": 40, "trials": TRIALS,
        "best": 2, "seconds": 8.0, "sentence": "Trial 3 it is.",
    }  # fmt: skip
    return told_of(found | changed)


def test_the_best_trials_come_first_and_every_trial_is_told() -> None:
    _, told, drawn, table, note = SECTION.blocks(document())
    assert isinstance(told, Paragraph) and told.text == "Trial 3 it is."
    assert isinstance(table, Table) and table.short == 5
    assert [row[0] for row in table.rows] == ["3 ●", "1", "2", "4"]
    assert [row[4] for row in table.rows] == ["", "the run's own", "ended early", "failed"]
    assert isinstance(note, Note) and "held out of training in 2 parts" in note.text
    assert "never on dev or test" in note.text and "no <b>memory</b>" in note.text
    assert isinstance(drawn, Chart) and drawn.redundant and not flaw(drawn)


@pytest.mark.parametrize(("up", "top"), [(False, "trial 3"), (True, "trial 2 (ended early)")])
def test_the_best_value_is_at_the_top_of_its_axis(up: bool, top: str) -> None:
    drawn = list(SECTION.blocks(document(higher_is_better=up)))[2]
    assert isinstance(drawn, Chart)
    ends = {series.name: series.points[-1].value for series in drawn.series}
    assert ends[top] == 1 and min(ends.values()) == 0
    rates = {series.name: series.points[0].value for series in drawn.series}
    assert rates["trial 1"] == pytest.approx(0.5), "an axis of ratios"


def test_a_missing_value_stands_below_all_others_which_keep_their_order() -> None:
    for values, rising in [([None, 8, 16, 32, 100], [0, 1, 2, 3, 4]), ([8, 100, None], [2, 0, 1]),
     (["b", None, "a"], [1, 2, 0]), ([None, 1e-4], [0, 1]),
     ([100, "auto", None, 8], [2, 3, 0, 1])]:  # fmt: skip
        trials = [
            {"number": n, "values": {"train.r": value, "train.k": 1}, "folds": [0.1 * n + 0.1],
             "value": 0.1 * n + 0.1, "state": "done", "seconds": 1.0, "failed": None}
            for n, value in enumerate(values)
        ]  # fmt: skip
        if values[0] is None:
            del trials[0]["values"]["train.r"]
        drawn = list(SECTION.blocks(document(trials=trials)))[2]
        assert isinstance(drawn, Chart) and not flaw(drawn), values
        points = [point for one in drawn.series for point in one.points if point.at == "r"]
        places = [point.value for point in points]
        assert sorted(range(len(values)), key=places.__getitem__) == rising, values
        assert len(set(places)) == len(places), values
        (lost,) = [point for point, value in zip(points, values, strict=True) if value is None]
        assert (lost.value, lost.tip) == (0, "–"), values


def test_lines_differ_by_more_than_colour() -> None:
    drawn = list(SECTION.blocks(document()))[2]
    assert isinstance(drawn, Chart)
    markup = str(chart(drawn, "key"))
    assert markup.count("<polyline") == 3
    assert 'class="across q0 best"' in markup and "ended" in markup
    assert "trial 2 (ended early): rate 0.0001, kind b, validation loss 0.9" in markup


def test_nothing_is_said_without_a_search() -> None:
    for found in (told_of(None), told_of({"trials": []}), whole({"rounds": []})):
        assert list(SECTION.blocks(found)) == []
