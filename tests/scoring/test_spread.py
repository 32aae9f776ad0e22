"""Scoring in several processes gives what one gives, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import pickle

import pytest

from harness import scoring
from harness.errors import Cancelled, EnvironmentFailure, PluginError, Waiting
from harness.records import Example, Prediction
from harness.registry import Registry
from harness.scoring import MetricEntry, measuring, workers

PLUGIN = '''
import os
import harness


class Share(harness.Metric):
    """Share of vowels, from the process that it names."""

    name = "share"

    class Options(harness.Options):
        letters: str = "aeiou"
        deadly: bool = False

    def measure(self, prediction, example):
        if prediction.text == "raise":
            raise ValueError("an odd answer")
        if prediction.text == "stop":
            raise harness.PluginError("the script is broken")
        if self.options.deadly and os.getpid() != int(example.meta["parent"]):
            os._exit(9)
        text = prediction.text
        return sum(text.count(letter) for letter in self.options.letters) / max(1, len(text))

    def remarks(self, pairs):
        return [str(os.getpid())]


@harness.hookimpl
def register_metrics():
    return [Share]
'''


@pytest.fixture
def metric(tmp_path, monkeypatch):
    """The class; blocks are small, and whatever is left after two of them is spread."""
    monkeypatch.setattr(measuring, "BLOCK", 4)
    monkeypatch.setattr(workers, "WORTH", -1.0)
    path = tmp_path / "share.py"
    path.write_text(PLUGIN)
    return Registry.build([path]).get("metric", "share").plugin


def pairs(*texts):
    me = {"parent": os.getpid()}
    return [
        (Prediction(f"e{i}", text), Example(f"e{i}", (), ("x",), meta=me))
        for i, text in enumerate(texts)
    ]


TEXTS = [f"text number {i} " + "ae" * (i % 7) for i in range(30)] + ["raise"]


@pytest.mark.nightly
def test_many_processes_give_the_values_of_one(metric):
    entry = MetricEntry("share", metric(metric.Options(letters="aen")))
    done = []
    many = scoring.measure(entry, pairs(*TEXTS), lambda *a: done.append(a), workers=2)
    one = scoring.measure(entry, pairs(*TEXTS), workers=1)
    assert many == one
    assert many[-1].error == "metric share: ValueError: an odd answer"
    assert done[-1] == (31, 31, "")
    assert [d for d, _, _ in done] == [4, 8, 12, 16, 20, 24, 28, 31]


def test_processes_started_ahead_give_the_same(metric, monkeypatch):
    monkeypatch.setattr(workers, "_ready", set())
    entry = MetricEntry("share", metric(metric.Options(letters="aen")))
    assert not workers.is_worth(-2.0, 2)
    with scoring.scoring_processes([entry], 2):
        monkeypatch.setattr(workers, "WORTH_READY", -1.0)
        assert workers.is_worth(0.0, 2)
        many = scoring.measure(entry, pairs(*TEXTS), workers=2)
    assert not workers._ready
    assert many == scoring.measure(entry, pairs(*TEXTS), workers=1)


@pytest.mark.nightly
def test_processes_are_let_go_and_come_back(metric):
    entry = MetricEntry("share", metric())
    with scoring.scoring_processes():
        one = scoring.measure(entry, pairs(*TEXTS), workers=2)
    with scoring.scoring_processes():
        assert scoring.measure(entry, pairs(*TEXTS), workers=2) == one


def test_the_collector_is_left_as_it_was():
    before = gc.get_threshold()
    with scoring.rare_collections():
        assert gc.get_threshold() == workers.RARE
    assert gc.get_threshold() == before


@pytest.mark.nightly
def test_what_stops_a_run_stops_it_from_another_process(metric):
    entry = MetricEntry("share", metric())
    with pytest.raises(PluginError, match="the script is broken"):
        scoring.measure(entry, pairs(*TEXTS, "stop"), workers=2)


@pytest.mark.nightly
def test_a_cancelled_measurement_ends_at_the_next_block(metric):
    def stop(done, total, what):
        if done >= 12:
            raise Cancelled

    with pytest.raises(Cancelled):
        scoring.measure(MetricEntry("share", metric()), pairs(*TEXTS), stop, workers=2)


def test_a_process_that_dies_is_named_and_nothing_hangs(metric):
    entry = MetricEntry("share", metric(metric.Options(deadly=True)))
    with pytest.raises(EnvironmentFailure, match="was killed") as failure:
        scoring.measure(entry, pairs(*TEXTS), workers=2)
    assert "--workers 1" in failure.value.hint


def test_a_class_that_no_other_process_can_find_is_run_here(metric):
    class Local(metric):
        name = "local"

    assert workers.recipe_of(Local()) is None
    found = scoring.measure(MetricEntry("local", Local()), pairs(*TEXTS), workers=2)
    assert [m.statistics for m in found] == [
        m.statistics
        for m in scoring.measure(MetricEntry("share", metric()), pairs(*TEXTS), workers=1)
    ]


@pytest.mark.parametrize(
    "error",
    [
        PluginError("a", where="b", hint="c", details=["d"]),
        EnvironmentFailure("a", hint="c"),
        Waiting("rate them", ["harness rate"]),
        Cancelled(),
    ],
)
def test_errors_arrive_whole_from_another_process(error):
    arrived = pickle.loads(pickle.dumps(error))
    assert (type(arrived), str(arrived)) == (type(error), str(error))
    assert vars(arrived) == vars(error)
