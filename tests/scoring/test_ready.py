"""A metric is told of all answers first, and may say how far it is."""

from __future__ import annotations

import pytest

import harness
from harness.records import Example, Prediction
from harness.scoring import MetricEntry, ready

PAIRS = [(Prediction("a", "x"), Example("a", ()))]


class Asks(harness.Metric):
    """Counts, and waits for people."""

    name = "asks"

    def ready(self, pairs):
        self.progress(1, 2, "questions")
        raise harness.Waiting("nobody rated it", ["rate it"])

    def measure(self, prediction, example):
        return 1.0


def test_progress_is_there_during_the_call_only():
    heard, metric = [], Asks()
    with pytest.raises(harness.Waiting):
        ready(metric, PAIRS, lambda *told: heard.append(told))
    assert heard == [(1, 2, "questions")]
    assert vars(metric) == {"options": metric.options}
    assert metric.progress(1, 1, "") is None


def test_what_is_heard_may_stop_it():
    def stop(*told):
        raise harness.Cancelled

    with pytest.raises(harness.Cancelled):
        ready(Asks(), PAIRS, stop)


def test_a_command_that_scores_waits_for_nobody():
    heard = []
    predictions, examples = zip(*PAIRS, strict=True)
    card = harness.evaluate(
        examples, predictions, [MetricEntry("asks", Asks())],
        progress=lambda metric: lambda *told: heard.append((metric, *told)),
    )  # fmt: skip
    assert card.measurements["asks"][0].statistics == (1.0,)
    assert heard[0] == ("asks", 1, 2, "questions")
