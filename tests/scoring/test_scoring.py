"""Metrics at work: scores, and what happens when one of them misbehaves."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import harness
from harness import scoring
from harness.errors import Cancelled, EnvironmentFailure, PluginError, Waiting
from harness.records import Example, Prediction, from_json, to_json
from harness.scoring import MetricEntry


class Words(harness.Metric):
    """Number of words of the answer, as a share of ten."""

    name = "words"
    right_at = 0.5

    def measure(self, prediction, example):
        return len(prediction.text.split()) / 10


class Ratio(harness.Metric):
    """Two scores from three statistics."""

    name = "ratio"
    bounds = (0.0, 100.0)

    def score_names(self):
        return ("precision", "recall")

    def measure(self, prediction, example):
        return tuple(float(x) for x in prediction.text.split())

    def aggregate(self, sums, weights):
        return 100 * np.stack([sums[..., 0] / sums[..., 1], sums[..., 0] / sums[..., 2]], -1)


class Picky(harness.Metric):
    """Does to each example what its answer says."""

    name = "picky"
    answers = {
        "nan": math.nan,
        "inf": math.inf,
        "none": None,
        "text": "0.7",
        "list of text": ["0.7"],
        "empty": [],
        "long": [0.5, 0.5],
        "dict": {0.5: 1},
        "object": object(),
        "array": np.array([0.5]),
        "bool": True,
        "scalar": np.float32(0.5),
        "tensor": np.array(0.5),
        "list": [0.5],
    }

    def measure(self, prediction, example):
        if prediction.text == "raise":
            raise ZeroDivisionError("an odd\nanswer")
        return self.answers[prediction.text]


class Corpus(harness.Metric):
    """Not additive: the number of different answers."""

    name = "distinct"
    additive = False
    bounds = (0.0, math.inf)

    def corpus(self, pairs):
        return {"distinct": float(len({prediction.text for prediction, _ in pairs}))}


def pairs(*texts: str) -> list[scoring.Pair]:
    return [
        (Prediction(f"e{i}", text), Example(f"e{i}", ({"role": "user", "content": "?"},)))
        for i, text in enumerate(texts)
    ]


def own_groups(rows):
    return {example.id: example.id for _, example in rows}


def scored(metric, *texts, name=""):
    rows = pairs(*texts)
    entry = MetricEntry(name or metric.name, metric)
    measured = scoring.measure(entry, rows)
    return measured, scoring.scores(entry, measured, own_groups(rows), seed=1, pairs=rows)


def test_a_mean_with_its_interval():
    measured, found = scored(Words(), "a b", "a b c d", "a b c", "a")
    assert [m.values["words"] for m in measured] == [0.2, 0.4, 0.3, 0.1]
    score = found["words"]
    assert score.value == pytest.approx(0.25)
    assert score.low < 0.25 < score.high
    assert (score.n, score.unscored, score.signature) == (4, 0, "words|rev:1")


def test_a_config_name_is_the_prefix_of_every_score():
    assert MetricEntry("ratio", Ratio()).score_names == ("precision", "recall")
    assert MetricEntry("strict", Ratio()).score_names == ("strict-precision", "strict-recall")
    assert MetricEntry("strict", Ratio()).column("strict-recall") == 1
    measured, found = scored(Words(), "a b", "a", name="short")
    assert set(found) == {"short-words"} == set(measured[0].values)
    assert measured[0].entry == "short"


def test_a_ratio_of_sums_is_not_a_mean_of_ratios():
    measured, found = scored(Ratio(), "1 1 2", "1 4 2")
    assert found["precision"].value == pytest.approx(40.0)
    assert found["recall"].value == pytest.approx(50.0)
    assert measured[1].values == {"precision": 25.0, "recall": 50.0}
    assert measured[1].statistics == (1.0, 4.0, 2.0)


def test_a_ratio_of_nothing_has_no_own_value_but_counts():
    measured, found = scored(Ratio(), "0 0 2", "1 1 2")
    assert measured[0].values == {"recall": 0.0}
    assert measured[0].statistics == (0.0, 0.0, 2.0)
    assert found["recall"].value == pytest.approx(25.0)
    assert found["recall"].n == 2


BAD = {
    "nan": "not finite",
    "inf": "not finite",
    "text": "a text where a number is due",
    "list of text": "one of them is a str",
    "empty": "empty list",
    "long": "2 numbers where other examples have 1",
    "dict": "a dict where numbers are due",
    "object": "an object where numbers are due",
    "raise": "ZeroDivisionError: an odd answer",
}


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_example_is_unscored_and_the_rest_stands(bad):
    measured, found = scored(Picky(), "list", "scalar", bad, "bool")
    assert [m.statistics for m in measured] == [(0.5,), (0.5,), None, (1.0,)]
    assert measured[2].values == {}
    assert measured[2].error.startswith("metric picky: ")
    assert BAD[bad].removeprefix("an ").removeprefix("a ") in measured[2].error
    assert [m.error for m in measured if m.statistics] == ["", "", ""]
    assert found["picky"].value == pytest.approx(2 / 3)
    assert (found["picky"].n, found["picky"].unscored) == (3, 1)


def test_none_is_a_legitimate_answer_and_no_failure():
    measured, found = scored(Picky(), "list", "none")
    assert (measured[1].statistics, measured[1].error) == (None, "")
    assert (found["picky"].n, found["picky"].unscored) == (1, 1)


def test_every_form_of_a_number_is_taken():
    measured, _ = scored(Picky(), "array", "bool", "scalar", "tensor", "list")
    assert [m.statistics for m in measured] == [(0.5,), (1.0,), (0.5,), (0.5,), (0.5,)]


def test_nothing_scored_is_not_zero():
    measured, found = scored(Picky(), "none", "raise")
    score = found["picky"]
    assert (score.value, score.low, score.high, score.n, score.unscored) == (None, None, None, 0, 2)
    assert [(m.statistics, bool(m.error)) for m in measured] == [(None, False), (None, True)]


def test_a_metric_that_fails_on_every_answer_has_no_result():
    with pytest.raises(PluginError, match="no answer could be scored: metric picky: it gave nan"):
        scored(Picky(), "nan", "raise")


def test_no_rows_at_all():
    measured, found = scored(Words())
    assert measured == []
    assert found["words"].value is None


def test_a_failing_batch_falls_back_to_single_examples():
    class Batch(Picky):
        def measure_all(self, pairs):
            raise RuntimeError("the batch is broken")

    measured, _ = scored(Batch(), "list", "raise")
    assert measured[0].statistics == (0.5,)
    assert "ZeroDivisionError" in measured[1].error


def test_a_batch_of_another_length_is_not_believed():
    class Short(Picky):
        def measure_all(self, pairs):
            return [0.9]

    measured, _ = scored(Short(), "list", "bool")
    assert [m.statistics for m in measured] == [(0.5,), (1.0,)]


def test_a_batch_that_cannot_be_taken_apart_names_its_own_error():
    class OnlyBatch(harness.Metric):
        name = "only-batch"

        def measure_all(self, pairs):
            yield 0.5
            raise RuntimeError("row two is odd")

    with pytest.raises(PluginError, match="RuntimeError: row two is odd"):
        scored(OnlyBatch(), "a", "b")


@pytest.mark.parametrize(
    "stop", [Cancelled(), Waiting("rate", ["rate"]), EnvironmentFailure("x"), PluginError("y")]
)
@pytest.mark.parametrize("method", ["measure", "measure_all"])
def test_what_stops_the_run_is_not_swallowed(stop, method):
    def raising(self, *arguments):
        raise stop

    metric = type("Stopping", (Words,), {method: raising})()
    with pytest.raises(type(stop)):
        scoring.measure(MetricEntry("words", metric), pairs("a"))


def test_a_wrong_number_of_statistics_everywhere_is_told():
    class Wide(harness.Metric):
        name = "wide"

        def measure(self, prediction, example):
            return [0.1, 0.2]

    with pytest.raises(PluginError, match=r"gives the shape \(2, 2\), where \(2, 1\) is due"):
        scored(Wide(), "a", "b")


def test_a_metric_that_aggregates_wrongly_is_a_plugin_error():
    class Broken(Words):
        name = "broken"

        def values(self, statistics):
            return statistics

        def aggregate(self, sums, weights):
            raise KeyError("sums")

    with pytest.raises(PluginError, match="metric broken: aggregate"):
        scored(Broken(), "a", "b")


def test_a_metric_that_is_not_additive_has_a_value_and_no_interval():
    measured, found = scored(Corpus(), "a", "a", "b")
    score = found["distinct"]
    assert (score.value, score.low, score.high, score.n, score.unscored) == (2.0, None, None, 3, 0)
    assert [m.statistics for m in measured] == [()] * 3
    with pytest.raises(ValueError, match="needs the answers"):
        scoring.scores(MetricEntry("distinct", Corpus()), measured, {}, seed=0)


@pytest.mark.parametrize("wrong", [{}, {"distinct": "many"}, None])
def test_a_corpus_score_that_is_no_number_is_a_plugin_error(wrong):
    metric = type("Wrong", (Corpus,), {"corpus": lambda self, pairs: wrong})()
    with pytest.raises(PluginError, match="corpus"):
        scored(metric, "a")


def test_intervals_stay_within_the_bounds():
    _, found = scored(Words(), *["w " * 10] * 19, "w")
    assert found["words"].high == 1.0
    _, found = scored(Words(), *[""] * 19, "w")
    assert found["words"].low == 0.0


@pytest.mark.parametrize("size", [2, 4])
def test_rows_that_are_all_at_an_end_have_the_bounds_of_so_many_groups(size):
    groups = {f"e{i}": f"g{i // size}" for i in range(40)}
    for text, value in (("", 0.0), ("w " * 10, 1.0)):
        rows, entry = pairs(*[text] * 40), MetricEntry("words", Words())
        found = scoring.scores(entry, scoring.measure(entry, rows), groups, seed=0)["words"]
        assert (found.value, found.se) == (value, 0.0)
        assert (found.high if value else found.low) == value
        reach = found.high - found.low
        # A share as large as this gives no row elsewhere in one of forty such samples.
        assert (1 - reach) ** (40 / size) == pytest.approx(0.025)


def test_rows_that_are_all_alike_elsewhere_have_no_interval():
    _, found = scored(Words(), *["w w"] * 40)
    assert (found["words"].value, found["words"].low, found["words"].high) == (0.2, None, None)
    _, found = scored(Ratio(), *["0 4 5"] * 40)  # no mean of its rows' values
    assert (found["recall"].value, found["recall"].low) == (0.0, None)
    _, found = scored(Words(), "")
    assert (found["words"].value, found["words"].low) == (0.0, None)


def test_intervals_are_clustered():
    rows = pairs(*["a", "a b c d e f"] * 40)
    entry = MetricEntry("words", Words())
    measured = scoring.measure(entry, rows)
    alone = scoring.scores(entry, measured, own_groups(rows), seed=0)["words"]
    halves = {f"e{i}": f"g{i % 2}{i // 16}" for i in range(80)}
    grouped = scoring.scores(entry, measured, halves, seed=0)["words"]
    assert alone.value == grouped.value == 0.35
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_rows_without_a_group_stand_alone():
    rows = pairs("a", "a b", "a b c")
    entry = MetricEntry("words", Words())
    measured = scoring.measure(entry, rows)
    assert scoring.scores(entry, measured, {}, 0) == scoring.scores(
        entry, measured, own_groups(rows), 0
    )
    assert scoring.scores(entry, measured, {"e0": ""}, 0)["words"].low is not None


def test_the_order_of_the_rows_changes_no_bit():
    rows = pairs(*("w " * (i % 7) for i in range(60)))
    entry = MetricEntry("words", Words())
    measured = scoring.measure(entry, rows)
    groups = {f"e{i}": f"g{i % 20}" for i in range(60)}
    assert scoring.scores(entry, measured, groups, 3) == scoring.scores(
        entry, measured[::-1], groups, 3
    )


def test_measurements_survive_json():
    measured, _ = scored(Picky(), "scalar", "nan")
    text = json.dumps(to_json(measured), allow_nan=False)
    assert [from_json(harness.Measurement, item) for item in json.loads(text)] == measured


def test_right_follows_the_direction_and_the_option():
    class Loss(Words):
        name = "loss"
        higher_is_better = False

        class Options(harness.Options):
            right_at: float | None = None

    assert [scoring.right(Words(), v) for v in (0.4, 0.5, None)] == [False, True, None]
    assert [scoring.right(Loss(), v) for v in (0.4, 0.5, 0.6)] == [True, True, False]
    strict = Loss(Loss.Options(right_at=0.1))
    assert [scoring.right(strict, v) for v in (0.1, 0.4)] == [True, False]
    assert scoring.right(Ratio(), 1.0) is None
    assert scoring.right(Words(), math.nan) is None
