"""The adapters that a training leaves for the run to choose from."""

from __future__ import annotations

import pytest
from safetensors.torch import load_file

import harness
from harness_transformers.lora import LoraTrainer
from harness_transformers.stopping import checked_steps

CHOSEN = {"keep": "best", "by": "primary"}


def trainer(**options):
    settings = {"r": 4, "epochs": 2, "batch_size": 4, "precision": "fp32", **options}
    return LoraTrainer(LoraTrainer.Options(**settings))


def left(context):
    """Step -> its adapter."""
    folders = (context.output / "steps").iterdir()
    return {int(f.name): load_file(f / "adapter_model.safetensors") for f in folders}


def equal(these, those):
    return these.keys() == those.keys() and all(these[n].equal(those[n]) for n in these)


@pytest.fixture(scope="module")
def rows(row):
    return [row(n, "count find") for n in range(8)], [row(n, "find count") for n in range(20, 24)]


@pytest.mark.parametrize(
    ("steps", "per_epoch", "checks", "at"),
    [
        (6, 2, None, [2, 4, 6]),
        (5, 2, None, [2, 4, 5]),
        (1, 2, None, [1]),
        (100, 30, 4, [25, 50, 75, 100]),
        (7, 7, 2, [4, 7]),
        (2, 1, 5, [1, 2]),
    ],
)
def test_checkpoints_are_left_at_the_ends_of_epochs_or_evenly(steps, per_epoch, checks, at):
    assert checked_steps(steps, per_epoch, checks) == at


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ({}, None),
        ({"keep": "best"}, None),
        ({"by": "primary"}, None),
        (CHOSEN, harness.Choice(2, 60)),
        ({**CHOSEN, "epochs": 2.5, "check_rows": 8}, harness.Choice(3, 8)),
        ({**CHOSEN, "checks": 7}, harness.Choice(7, 60)),
    ],
)
def test_the_options_say_whether_the_run_chooses(options, choice):
    assert trainer(**options).choice() == choice


def test_each_is_the_adapter_of_that_step(base, rows, another):
    chosen, plain, short = another(), another(), another()
    trainer(**CHOSEN).train(base, *rows, chosen)
    trainer().train(base, *rows, plain)
    adapters = left(chosen)
    assert sorted(adapters) == [2, 4]
    last = load_file(chosen.output / "adapter_model.safetensors")
    assert equal(adapters[4], last) and not equal(adapters[2], last)
    assert equal(last, load_file(plain.output / "adapter_model.safetensors"))
    log = (chosen.output / "log.jsonl").read_text()
    assert log == (plain.output / "log.jsonl").read_text()
    trainer(args={"max_steps": 2}, scheduler="constant", warmup=0).train(base, *rows, short)
    constant = another()
    trainer(**CHOSEN, scheduler="constant", warmup=0).train(base, *rows, constant)
    assert equal(left(constant)[2], load_file(short.output / "adapter_model.safetensors"))
    names = {path.name for path in (chosen.output / "steps" / "2").iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}


def test_a_training_that_stops_early_leaves_where_it_stopped(base, rows, another):
    context = another()
    plugin = trainer(**CHOSEN, epochs=12, learning_rate=0.02, early_stop={"patience": 2})
    plugin.train(base, *rows, context)
    assert max(left(context)) == context.facts["stopped_step"] < 24


class Killed(Exception):
    """Stands for a kill where the process of the tests has to live on."""


def test_a_training_that_goes_on_after_a_kill_leaves_the_same(base, rows, another, tmp_path):
    plugin = trainer(**CHOSEN, epochs=4)
    unbroken, dead, alive = another(), another(), another()
    plugin.train(base, *rows, unbroken)
    for context in (dead, alive):
        context.scratch, context.checkpoint_minutes = tmp_path / "scratch", 1e-6
    dead.scratch.mkdir()

    def report(done, total, what):
        if done == 7:
            raise Killed

    dead.report = report
    with pytest.raises(Killed):
        plugin.train(base, *rows, dead)
    steps = []
    alive.report = lambda done, total, what: steps.append(done)
    plugin.train(base, *rows, alive)
    assert 2 < steps[0] < 7
    ours, theirs = left(alive), left(unbroken)
    assert sorted(ours) == sorted(theirs) == [2, 4, 6, 8]
    assert all(equal(ours[step], theirs[step]) for step in ours)
