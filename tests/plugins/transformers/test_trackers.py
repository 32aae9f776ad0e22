"""Trackers beside a training: its curves, one run each; and nothing of its result."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys

import pytest

import harness
from harness_transformers.lora import LoraTrainer
from tests.plugins.transformers.conftest import fresh

WANDB = '''
"""As much of wandb as transformers uses; it fails where the test says."""
import json, os

def told(what, **more):
    where = os.environ.get("FAKE_FAILS", "")
    if where == what:
        raise ConnectionError("no route to host, key fake-secret-key")
    with open(os.environ["FAKE_LOG"], "a") as stream:
        stream.write(json.dumps({"what": what, **more}) + "\\n")

told("import")

class Run(dict):
    summary, id, name = {}, "id", "name"
    def _label(self, code): pass

class Config(dict):
    def update(self, values, allow_val_change=False): pass

config, run = Config(), None

def init(project, **more):
    global run
    told("init", project=project, group=os.environ["WANDB_RUN_GROUP"], **more)
    run = Run()

def define_metric(*names, **more): pass

def log(values):
    told("log", step=values["train/global_step"])

def finish(exit_code=0):
    global run
    told("finish", code=exit_code)
    run = None
'''


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    """A wandb of the tests' own; gives what it was told."""
    folder = tmp_path / "modules"
    (folder / "wandb/sdk/lib").mkdir(parents=True)
    (folder / "wandb/__init__.py").write_text(WANDB)
    (folder / "wandb/sdk/lib/config_util.py").write_text("class ConfigError(Exception): pass")
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    for name in [n for n in sys.modules if n.split(".")[0] == "wandb"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in os.environ if n.startswith(("WANDB_", "MLFLOW_", "TENSORBOARD"))]:
        monkeypatch.delenv(name)
    path = tmp_path / "told.jsonl"
    path.touch()
    monkeypatch.setenv("FAKE_LOG", str(path))
    monkeypatch.setenv("WANDB_API_KEY", "fake-secret-key")
    yield lambda: [json.loads(line) for line in path.read_text().splitlines()]
    for name in [n for n in sys.modules if n.split(".")[0] == "wandb"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def untracked(base, row, tmp_path_factory):
    """Digest of what the training gives without a tracker."""
    return train(base, row, fresh(tmp_path_factory.mktemp("untracked"), run="demo"), "none")


def tracking():
    """The variables that trackers read."""
    return {k: v for k, v in os.environ.items() if k.startswith(("WANDB", "MLFLOW", "TENSORB"))}


def train(base, row, context, report_to="wandb", **args):
    options = LoraTrainer.Options(
        r=4, epochs=1, batch_size=4, precision="fp32", args={"report_to": report_to, **args}
    )
    LoraTrainer(options).train(base, [row(number) for number in range(12)], (), context)
    weights = (context.output / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(weights).hexdigest()


def test_each_training_is_a_run_of_the_group_of_its_run(base, row, another, wandb):
    variables = tracking()
    heard = []
    contexts = [another(run="demo", round=1), another(run="demo", round=2, arm="random")]
    for context in contexts:
        context.say = heard.append
        train(base, row, context)
    begun = [call for call in wandb() if call["what"] == "init"]
    assert [(call["name"], call["group"]) for call in begun] == [
        ("demo round 1", "demo"),
        ("demo round 2 random", "demo"),
    ]
    assert [c["step"] for c in wandb() if c["what"] == "log"] == [1, 2, 3, 3] * 2
    assert [c["code"] for c in wandb() if c["what"] == "finish"] == [0, 0]
    assert tracking() == variables and not heard


def test_a_probe_is_no_training_that_trackers_are_told_of(base, row, another, wandb):
    train(base, row, another(run="demo", round=1, probe=True))
    assert wandb() == []


def test_the_user_s_group_and_name_stand(base, row, another, wandb, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_GROUP", "mine")
    train(base, row, another(run="demo", round=1), run_name="own")
    (begun,) = [call for call in wandb() if call["what"] == "init"]
    assert (begun["name"], begun["group"]) == ("own", "mine")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("moment", ["import", "log", "finish"])
def test_a_tracker_that_fails_costs_a_note(
    base, row, another, wandb, monkeypatch, moment, untracked
):
    monkeypatch.setenv("FAKE_FAILS", moment)
    heard = []
    context = another(run="demo", round=1, say=heard.append)
    assert train(base, row, context) == untracked
    (said,) = heard
    assert said.startswith("the curve of round 1 is not complete in wandb, which failed (Conne")
    assert "no route to host" in said and "secret" not in said


def test_a_training_that_fails_closes_its_run(base, row, another, wandb):
    context = another(run="demo", round=1)
    context.cancelled = lambda: len(wandb()) > 1
    with pytest.raises(harness.Cancelled):
        train(base, row, context)
    assert [c["code"] for c in wandb() if c["what"] == "finish"] == [1]


@pytest.mark.nightly
def test_tensorboard_gets_a_folder_for_each_training(base, row, another, tmp_path, monkeypatch):
    if importlib.util.find_spec("tensorboard") is None:
        pytest.skip("needs tensorboard: pip install -e '.[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "curves"))
    contexts = [another(run="demo", round=number) for number in (1, 2)]
    for context in contexts:
        train(base, row, context, "tensorboard")
        assert {p.name for p in context.output.iterdir()} == {
            "adapter_config.json", "adapter_model.safetensors", "log.jsonl",
        }  # fmt: skip
    folders = sorted((tmp_path / "curves" / "demo").iterdir())
    assert [folder.name for folder in folders] == ["round-1", "round-2"]
    for folder in folders:
        found = EventAccumulator(str(folder))
        found.Reload()
        assert [event.step for event in found.Scalars("train/loss")] == [1, 2, 3]
