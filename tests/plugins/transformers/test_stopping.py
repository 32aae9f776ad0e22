"""What the validation loss decides: when a training ends, and which step's adapter is saved."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

import harness
from harness_transformers.lora import LoraTrainer
from harness_transformers.stopping import EarlyStop, exhausted

FAST = {"epochs": 12, "learning_rate": 0.02, "scheduler": "constant", "warmup": 0}
"""Learns its few rows by heart, and forgets the others."""


def trainer(**options):
    settings = {"r": 4, "epochs": 1, "batch_size": 4, "precision": "fp32", **options}
    return LoraTrainer(LoraTrainer.Options(**settings))


def lines(context):
    return [json.loads(line) for line in (context.output / "log.jsonl").read_text().splitlines()]


def validated(context):
    return {line["step"]: line["eval_loss"] for line in lines(context) if "eval_loss" in line}


def weights(context):
    from safetensors.torch import load_file

    return load_file(context.output / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def rows(row):
    """Eight rows to learn, and four whose answers have the same words in another order."""
    return [row(n, "count find") for n in range(8)], [row(n, "find count") for n in range(20, 24)]


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "over"),
    [
        ([3, 2, 1], 1, 0, False),
        ([3, 2, 2], 1, 0, True),
        ([3, 2, 2.5], 2, 0, False),
        ([3, 2, 2.5, 2], 2, 0, True),
        ([3, 2, 2.5, 1.9], 2, 0, False),
        ([3, 2.95, 2.9, 2.85], 2, 0.1, False),
        ([3, 2.95, 2.92], 2, 0.1, True),
        ([3], 1, 0, False),
    ],
)
def test_patience_counts_validations_without_a_better_loss(losses, patience, min_delta, over):
    assert exhausted(losses, EarlyStop(patience=patience, min_delta=min_delta)) is over


@pytest.mark.nightly
def test_a_training_whose_validation_loss_rises_ends_early(base, rows, another):
    whole, short = another(), another()
    trainer(**FAST).train(base, *rows, whole)
    trainer(**FAST, early_stop={"patience": 2}).train(base, *rows, short)
    found, all_of_them = validated(short), validated(whole)
    last = max(found)
    assert last < max(all_of_them) == 24
    assert found == {step: loss for step, loss in all_of_them.items() if step <= last}
    assert min(found.values()) == list(found.values())[-3], "two more, and none of them better"
    (told,) = [line for line in lines(short) if line.get("stopped")]
    assert told["step"] == short.facts["stopped_step"] == last
    assert "stopped_step" not in whole.facts


def test_a_training_that_goes_on_getting_better_is_not_ended(base, rows, context):
    train, _ = rows
    trainer(**{**FAST, "epochs": 2}, early_stop={}).train(base, train, train[:4], context)
    assert max(validated(context)) == 4
    assert "stopped_step" not in context.facts


@pytest.mark.nightly
def test_the_adapter_of_the_least_validation_loss_is_kept(base, rows, another):
    last, best, there = another(), another(), another()
    trainer(**FAST).train(base, *rows, last)
    trainer(**FAST, keep="best").train(base, *rows, best)
    losses = validated(best)
    assert losses == validated(last)
    step = min(losses, key=losses.__getitem__)
    assert 0 < step < max(losses)
    assert best.facts["kept_step"] == step
    assert [line["step"] for line in lines(best) if line.get("kept")] == [step]
    trainer(**FAST, args={"max_steps": step}).train(base, rows[0], (), there)
    for name, value in weights(there).items():
        assert value.equal(weights(best)[name])
    assert any(not value.equal(weights(best)[name]) for name, value in weights(last).items())


class Killed(Exception):
    """Stands for a kill where the process of the tests has to live on."""


@pytest.mark.nightly
def test_a_training_that_goes_on_after_a_kill_decides_the_same(base, rows, another, tmp_path):
    """The best point lies before the kill, and the patience ends after it."""
    plugin = trainer(**FAST, keep="best", early_stop={"patience": 3})
    unbroken, dead, alive = another(), another(), another()
    plugin.train(base, *rows, unbroken)
    best, end = unbroken.facts["kept_step"], unbroken.facts["stopped_step"]
    for context in (dead, alive):
        context.scratch, context.checkpoint_minutes = tmp_path / "scratch", 1e-6
    dead.scratch.mkdir()

    def report(done, total, what):
        if done == end - 1:
            raise Killed

    dead.report = report
    with pytest.raises(Killed):
        plugin.train(base, *rows, dead)
    steps = []
    alive.report = lambda done, total, what: steps.append(done)
    plugin.train(base, *rows, alive)
    assert best < steps[0] < end
    assert (alive.output / "log.jsonl").read_text() == (unbroken.output / "log.jsonl").read_text()
    assert alive.facts == unbroken.facts
    for name, value in weights(unbroken).items():
        assert value.equal(weights(alive)[name])


@pytest.mark.parametrize(
    ("options", "where"), [({"early_stop": {}}, "early_stop"), ({"keep": "best"}, "keep")]
)
def test_what_needs_validation_rows_says_so_before_anything_is_loaded(base, row, options, where):
    missing = harness.Checkpoint("base", "/nowhere", "d")
    with pytest.raises(harness.ConfigError, match="there are no validation rows") as caught:
        trainer(**options).train(missing, [row(1)], (), harness.Context(None))
    assert caught.value.where == f"train.{where}"
    assert "valid: 0.1" in caught.value.hint
    (problem,) = trainer(**options).check({"valid": 0})
    assert (problem.place, problem.level) == ((where,), "unknown")
    assert not list(trainer(**options).check({"valid": 0.1}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"early_stop": {"patience": 0}}, "greater than or equal to 1"),
        ({"early_stop": {"patience": 1.5}}, "valid integer"),
        ({"early_stop": {"min_delta": -0.1}}, "greater than or equal to 0"),
        ({"early_stop": {"min_delta": float("nan")}}, "finite"),
        ({"early_stop": {"patiense": 2}}, "Extra inputs"),
        ({"early_stop": True}, "valid dictionary"),
        ({"keep": "worst"}, "'last' or 'best'"),
    ],
)
def test_bad_options_are_refused_in_one_message(given, words):
    with pytest.raises(ValidationError, match=words) as caught:
        trainer(**given)
    assert len(caught.value.errors()) == 1
