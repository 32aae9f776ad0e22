"""What a stage's result depends on: whatever changes it must change its key."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel

import harness
from harness.config.plugin_entries import PluginEntry
from harness.data.splits import rows_digest

MINE = """\
import harness


class Mine(harness.Metric):
    name = "mine"

    def measure(self, prediction, example):
        return {value}


@harness.hookimpl
def register_metrics():
    return [Mine]
"""


def _row(name: str, split: str) -> harness.Example:
    return harness.Example(name, ({"role": "user", "content": name},), ("x",), split)


def test_a_row_that_moves_to_test_gives_another_data_digest():
    one = [_row("a", "train"), _row("b", "pool"), _row("c", "dev")]
    other = [one[0], dataclasses.replace(one[1], split="test"), one[2]]
    assert rows_digest(one) == rows_digest(other)
    assert rows_digest(one, lineage=True) != rows_digest(other, lineage=True)


def test_options_have_one_form_in_the_key():
    class Inner(BaseModel):
        words: set[str]

    class Metric(harness.Metric):
        name = "m"

        class Options(harness.Options):
            words: frozenset[str]
            inner: Inner
            limit: float = float("inf")

    def key(words):
        options = Metric.Options(words=words, inner=Inner(words=words))
        return PluginEntry("metric", "m", "m", Metric(options), "here").key()["options"]

    assert key(["b", "a", "c"]) == {
        "words": ["a", "b", "c"], "inner": {"words": ["a", "b", "c"]}, "limit": "inf",
    }  # fmt: skip


def _with_mine(project, value):
    (project.folder / "mine.py").write_text(MINE.format(value=value))
    path = project.folder / "harness.yaml"
    if "mine.py" not in path.read_text():
        text = path.read_text().replace("plugins: [", "plugins: [mine.py, ")
        path.write_text(text.replace("{plugin: overlap}", "{plugin: overlap}, {plugin: mine}"))
    return project.inside("iterate", "--rounds", "1", "--json")


def test_an_edited_one_file_plugin_is_scored_again(project):
    first, second = _with_mine(project, 0.25), _with_mine(project, 0.75)
    assert [r.document["rounds"][1]["scores"]["mine"]["value"] for r in (first, second)] == [
        0.25, 0.75,
    ]  # fmt: skip
    assert "round 1: train" in second.document["cached"]


@pytest.mark.nightly
def test_a_metric_that_fails_on_every_answer_stops_the_run_and_leaves_nothing(project):
    failed = _with_mine(project, "1 / 0")
    assert failed.code == 5 and "no answer could be scored" in failed.err
    assert "mine" in failed.err and "Traceback" not in failed.err
    assert _with_mine(project, 0.5).code == 0


@pytest.mark.parametrize("wrong", ["targetted", "3"])
def test_a_wrong_strategy_is_found_before_anything_runs(project, wrong):
    found = project.inside("check", "--set", f"plan.strategy={wrong}")
    assert found.code == 2 and "plan.strategy" in found.err


@pytest.mark.nightly
def test_what_trainer_and_generator_remark_is_a_note_once_and_again_when_reused(project):
    extra = ["--set", "train.remark=one GPU of\n two", "--set", "generate.remark=it is short"]
    for attempt in range(2):
        done = project.inside("iterate", *extra)
        assert (done.out + done.err).count("note: one GPU of two") == 1
        assert (done.out + done.err).count("note: it is short") == 1
        (project.folder / "reports").rename(project.folder / f"reports-{attempt}")


REMOTE = """\
import harness


class Remote(harness.Trainer):
    name = "remote"

    class Options(harness.Options):
        gain: float = 0.01

    def train(self, base, train, valid, context):
        info = {"skill": 0.2 + self.options.gain * len(train)}
        return harness.Checkpoint("remote", str(context.output), "", "at-a-service", info=info)


@harness.hookimpl
def register_trainers():
    return [Remote]
"""


@pytest.mark.nightly
def test_models_that_are_no_files_are_told_apart(project):
    project.write(REMOTE, "remote.py")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [remote.py, ") + "report: []\n"
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: remote}"))
    values = []
    for gain in (0.002, 0.01):
        done = project.inside("iterate", "--rounds", "1", "--json", "--set", f"train.gain={gain}")
        assert done.code == 0, done.err
        values += [one["scores"]["overlap"]["value"] for one in done.document["rounds"]]
    assert values[0] == values[2] < values[1] < values[3]
