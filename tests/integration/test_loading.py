"""The model that is evaluated is the one that is trained: how it is loaded goes with it."""

from __future__ import annotations

import json
import shutil

import pytest

PLUGIN = '''
import json
import os
import harness


class Bits(harness.Trainer):
    """It says how it loads the model."""

    name = "bits"

    class Options(harness.Options):
        bits: int = 0

    def loading(self):
        return {"bits": self.options.bits} if self.options.bits else {}

    def train(self, base, train, valid, context):
        (context.output / "weights").write_text("w")
        assert base.info.get("bits", 0) == self.options.bits
        return harness.Checkpoint("adapter", str(context.output), "", info=dict(base.info))


class Moving(harness.Model):
    """A name whose content moves, unless the run has begun with one."""

    name = "moving"

    def fetch(self, context):
        now = context.known.info["now"] if context.known else os.environ.get("MOVING", "one")
        context.remark(f"it is {now}")
        return harness.Checkpoint("base", str(context.output), now, info={"now": now})


class Telling(harness.Generator):
    """It answers with how the model was loaded."""

    name = "telling"

    def generate(self, checkpoint, examples, context):
        for example in examples:
            yield harness.Prediction(example.id, json.dumps(dict(checkpoint.info)))


@harness.hookimpl
def register_trainers():
    return [Bits]


@harness.hookimpl
def register_models():
    return [Moving]


@harness.hookimpl
def register_generators():
    return [Telling]
'''


@pytest.fixture
def telling(project):
    project.write(PLUGIN, "telling.py")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [telling.py, ").replace("rounds: 3", "rounds: 1")
    text = text.replace("model: {source: fake}", "model: {source: moving}")
    text = text.replace("train: {plugin: fake}", "train: {plugin: bits}")
    project.write(text.replace("generate: {plugin: fake}", "generate: {plugin: telling}"))
    return project


def answers(project):
    root = project.folder / ".harness" / "artifacts" / "generate"
    lines = [path.read_text().splitlines()[0] for path in root.glob("*/predictions.jsonl")]
    return [json.loads(json.loads(line)["text"]) for line in lines]


def base(project):
    (path,) = (project.folder / ".harness" / "runs").glob("*/base.json")
    return json.loads(path.read_text())


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_round_0_and_later_rounds_load_the_model_as_training_does(telling, launcher):
    sets = ("--set", "train.bits=4", "--set", f"execution.launcher={launcher}")
    done = telling.inside("iterate", *sets)
    assert done.code == 0, done.err
    assert answers(telling) == [{"now": "one", "bits": 4}] * 2
    assert base(telling)["info"]["bits"] == 4


@pytest.mark.nightly
def test_a_model_that_is_loaded_otherwise_is_another_model(telling):
    assert telling.inside("iterate").code == 0
    plain = base(telling)
    assert plain["digest"] == "one"
    assert telling.inside("iterate", "--set", "train.bits=4").code == 0
    assert len(answers(telling)) == 4
    assert sorted(info.get("bits", 0) for info in answers(telling)) == [0, 0, 4, 4]


@pytest.mark.nightly
def test_a_run_goes_on_with_the_model_that_it_began_with(telling):
    """The plugin is asked again, and knows by then what the run began with."""
    done = telling.inside("iterate", MOVING="one")
    assert "note: it is one" in done.err
    shutil.rmtree(telling.folder / ".harness" / "artifacts" / "generate")
    shutil.rmtree(telling.folder / "reports")
    again = telling.inside("iterate", MOVING="two")
    assert again.code == 0, again.err
    assert {info["now"] for info in answers(telling)} == {"one"}
    text = (telling.folder / "harness.yaml").read_text()
    telling.write(text.replace("seed: 7", "seed: 8"))
    assert telling.inside("iterate", MOVING="two").code == 0
    assert {info["now"] for info in answers(telling)} == {"one", "two"}


@pytest.mark.nightly
def test_a_record_of_the_model_that_is_damaged_is_written_again(telling):
    assert telling.inside("iterate").code == 0
    (path,) = (telling.folder / ".harness" / "runs").glob("*/base.json")
    before = json.loads(path.read_text())
    path.write_text('{"kind": ')
    shutil.rmtree(telling.folder / "reports")
    again = telling.inside("iterate")
    assert again.code == 0, again.err
    assert json.loads(path.read_text())["digest"] == before["digest"]


@pytest.mark.nightly
def test_a_model_that_gives_back_what_it_began_with_is_the_same_one(telling):
    text = (telling.folder / "telling.py").read_text()
    given_back = text.replace(
        "        context.remark(",
        "        if context.known:\n            return context.known\n        context.remark(",
        1,
    )
    telling.write(given_back, "telling.py")
    sets = ("--set", "train.bits=4", "--json")
    first = telling.inside("iterate", *sets, "--no-test")
    shutil.rmtree(telling.folder / "reports")
    again = telling.inside("iterate", *sets, "--no-test")
    assert again.code == 0, again.err
    assert again.document["rounds"] == first.document["rounds"]
