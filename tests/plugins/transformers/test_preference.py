"""The trainer ``preference``: what it learns, from what it starts, and what it refuses."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import random

import pytest

import harness
from harness_transformers.lora import LoraTrainer
from harness_transformers.preference import trainer as preference
from harness_transformers.preference.trainer import PreferenceTrainer
from harness_transformers.quiet import quietly

ALWAYS = 1e-6
"""Minutes between two checkpoints: one after each step."""
BOTH = pytest.mark.parametrize("loss", ["dpo", pytest.param("kto", marks=pytest.mark.nightly)])


def trainer(**options):
    settings = {
        "learning_rate": 0.01, "batch_size": 4, "accumulation": 1, "precision": "fp32", **options,
    }  # fmt: skip
    return PreferenceTrainer(PreferenceTrainer.Options(**settings))


@pytest.fixture(scope="module")
def pair(row):
    def make(number):
        return dataclasses.replace(row(number), rejected=(f"blue {number} last",))

    return make


@pytest.fixture
def pairs(pair):
    return [pair(number) for number in range(12)]


@pytest.fixture
def tuned(base, row, another):
    """What `lora` left before."""
    options = LoraTrainer.Options(r=4, epochs=1, precision="fp32", learning_rate=0.01)
    made = LoraTrainer(options).train(base, [row(n) for n in range(8)], (), another())
    return dataclasses.replace(made, digest="a" * 64)


def log(context):
    return [json.loads(line) for line in (context.output / "log.jsonl").read_text().splitlines()]


def result(context):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(context.output.iterdir())
    }


def test_it_learns_pairs_upon_what_a_trainer_before_it_left(base, tuned, pairs, context, capfd):
    made = trainer(epochs=3).train(tuned, pairs, pairs[:4], context)
    steps = [line for line in log(context) if "loss" in line]
    # Before anything is learned the model is its own reference.
    assert steps[0]["loss"] == pytest.approx(math.log(2)) and steps[0]["margin"] == 0
    assert steps[-1]["margin"] > 1 and steps[-1]["loss"] < 0.4
    assert log(context)[-1]["eval_margin"] == context.facts["valid_margin"] > 0.5
    assert (made.kind, made.base_path, made.info["pairs"]) == ("adapter", base.path, 12)
    assert made.info["reference"] == context.facts["reference"] == tuned.digest
    assert "the reference model is the adapter that it started from" in context.facts["remarks"][0]
    assert set(result(context)) == {"adapter_config.json", "adapter_model.safetensors", "log.jsonl"}
    config = json.loads((context.output / "adapter_config.json").read_text())
    assert (config["r"], config["base_model_name_or_path"]) == (4, None)
    assert capfd.readouterr() == ("", "")


def plain_losses(start, rows, loss, seed, folder):
    """Those of TRL alone, on the same rows as texts."""
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    from datasets import Dataset

    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(start.base_path or start.path)
    model = AutoModelForCausalLM.from_pretrained(start.base_path or start.path)
    if start.kind == "adapter":
        model = PeftModel.from_pretrained(model, start.path, is_trainable=True)
    else:
        options = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear"}
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))

    def prompt(row):
        return tokenizer.apply_chat_template(
            list(row.messages), tokenize=False, add_generation_prompt=True
        )

    own = {"train_sampling_strategy": "sequential"}
    if loss == "dpo":
        lines = [
            {"prompt": prompt(row), "chosen": row.references[0], "rejected": row.rejected[0]}
            for row in rows
        ]  # fmt: skip
    else:
        judged = [
            (row, text, good) for row in rows
            for text, good in ((row.references[0], True), (row.rejected[0], False))
        ]  # fmt: skip
        random.Random(seed).shuffle(judged)
        lines = [
            {"prompt": prompt(row), "completion": text, "label": good} for row, text, good in judged
        ]
    config = (DPOConfig if loss == "dpo" else KTOConfig)(
        output_dir=str(folder), learning_rate=0.01, lr_scheduler_type="cosine", warmup_steps=0.05,
        num_train_epochs=2, per_device_train_batch_size=4, logging_steps=1, save_strategy="no",
        report_to="none", seed=seed, bf16=False, gradient_checkpointing=False, use_cpu=True, **own,
    )  # fmt: skip
    made = (DPOTrainer if loss == "dpo" else KTOTrainer)(
        model=model, args=config, train_dataset=Dataset.from_list(lines),
        processing_class=tokenizer,
    )  # fmt: skip
    made.train()
    return [line["loss"] for line in made.state.log_history if "loss" in line]


@BOTH
@pytest.mark.nightly
@pytest.mark.parametrize("start", ["base", "tuned"])
def test_its_losses_are_those_of_plain_trl(start, loss, pairs, another, tmp_path, request):
    checkpoint, context = request.getfixturevalue(start), another()
    in_order = {"args": {"train_sampling_strategy": "sequential"}}
    trainer(loss=loss, epochs=2, **in_order).train(checkpoint, pairs, (), context)
    ours = [line["loss"] for line in log(context)]
    with quietly():
        theirs = plain_losses(checkpoint, pairs, loss, context.seed, tmp_path)
    assert len(ours) == len(theirs) == (6 if loss == "dpo" else 12)
    assert ours == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("size", [2, 4])
def test_no_answer_is_its_own_mismatched_one(size):
    from harness_transformers.preference.learning import _with_mismatched

    lines = [{"completion_ids": [number]} for number in range(9)]
    made = [line["KL_completion_ids"][0] for line in _with_mismatched(lines, size)]
    assert made[-1] == 7 and made[:2] == [size - 1, 0]
    assert all(other != number for number, other in enumerate(made))


@pytest.mark.nightly
@BOTH
def test_upon_quantised_weights_it_begins_as_its_reference_and_learns_in_fp32(
    loss, base, row, pairs, another, context
):
    from safetensors.torch import load_file

    options = LoraTrainer.Options(
        r=4, epochs=4, precision="fp32", learning_rate=0.01, quantization="4bit"
    )
    start = LoraTrainer(options).train(base, [row(n) for n in range(8)], (), another())
    made = trainer(loss=loss, learning_rate=1e-4, batch_size=6).train(start, pairs, (), context)
    assert made.info["quantization"] == "4bit"
    # Where policy and reference are one, all rewards are 0.
    first, *_ = log(context)
    assert first["loss"] == pytest.approx(math.log(2) if loss == "dpo" else 0.5, abs=1e-7)
    before, after = (
        load_file(f"{place}/adapter_model.safetensors") for place in (start.path, made.path)
    )
    # A rate of 1e-4 moves no number of bf16 above .06: half of its steps there is larger.
    moved = [after[name][after[name].abs() > 0.06] for name in after]
    assert all((after[name] != before[name]).any() for name in after)
    assert not any(len(large) and large.equal(large.bfloat16().float()) for large in moved)


def test_a_row_with_a_bad_answer_alone_is_shown_with_it(base, pair, context):
    bad = dataclasses.replace(pair(1), references=())
    [shown] = trainer(loss="kto").rendered(base, [bad], context)
    assert bad.rejected[0] in "".join(shown.tokens)
    assert not shown.problem
    [left] = trainer(loss="dpo").rendered(base, [bad], context)
    assert "nothing to learn" in left.problem


class Killed(Exception):
    """Stands for a kill where the process of the tests has to live on."""


@pytest.mark.nightly
@BOTH
def test_killed_inside_it_goes_on_to_the_same_bytes(loss, tuned, pairs, another, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    said = []

    def attempt(die_at=None):
        context = another()
        context.scratch, context.checkpoint_minutes = scratch, ALWAYS if die_at else 0
        context.say = said.append

        def report(done, total, what):
            if done == die_at:
                raise Killed

        context.report = report
        with contextlib.suppress(Killed):
            trainer(loss=loss, epochs=3).train(tuned, pairs, pairs[:4], context)
        return context

    unbroken = result(attempt())
    assert not said
    attempt(die_at=3)
    attempt(die_at=6)
    assert result(attempt(die_at=99)) == unbroken
    assert [line.split(" of ")[0] for line in said] == [
        "training goes on after step 2", "training goes on after step 5",
    ]  # fmt: skip


def test_which_rows_it_learns_from(row, pair):
    dpo, kto = trainer(), trainer(loss="kto")
    good, both = row(1), pair(1)
    bad = dataclasses.replace(both, references=())
    equal = dataclasses.replace(both, rejected=(f" {both.references[0]}\n",))
    assert [dpo.learns(one) for one in (good, both, bad, equal)] == [False, True, False, False]
    assert all(kto.learns(one) for one in (good, both, bad))
    assert [LoraTrainer().learns(one) for one in (good, both, bad)] == [True, True, False]


def test_answers_of_one_kind_alone_are_refused(base, row, context):
    with pytest.raises(harness.DataError, match="all 4 answers are good, and KTO learns from the"):
        trainer(loss="kto").train(base, [row(n) for n in range(4)], (), context)


def test_an_answer_that_would_be_cut_is_named(base, pairs, context):
    long = dataclasses.replace(pairs[3], rejected=("red " * 60,), place="rows.jsonl:4")
    with pytest.raises(harness.DataError, match="max_length 64 cuts 1 training answers") as caught:
        trainer(max_length=64).train(base, [*pairs[:3], long], (), context)
    assert list(caught.value.details) == ["rows.jsonl:4"]


def test_a_loss_that_is_not_finite_stops_it(base, pairs, context):
    with pytest.raises(harness.PluginError, match="not finite"):
        trainer(learning_rate=1e30, epochs=4).train(base, pairs, (), context)


def test_another_adapter_than_the_one_that_is_there_is_refused(tuned, pairs, context):
    with pytest.raises(harness.ConfigError, match="has 4, and is trained further as it is"):
        trainer(r=8).train(tuned, pairs, (), context)


def problems(plugin, **settings):
    return [(one.place, one.message) for one in plugin.check(settings)]


def test_what_does_not_go_with_the_trainer_before_is_said_before_any_work():
    before = {"plugin": "lora", "r": 16, "alpha": 32.0, "target_modules": "all-linear"}
    after = trainer(target_modules=["q_proj"], r=16)
    [(place, message)] = problems(after, train=[before, {"plugin": "preference"}])
    assert place == ("target_modules",)
    assert message.startswith("the adapter of 'lora' has 'all-linear'")
    assert not problems(after, train={"plugin": "preference"})
    [(place, _)] = problems(trainer(loss="kto", batch_size=1))
    assert place == ("batch_size",)


def test_without_trl_the_command_that_installs_it_is_named(monkeypatch, base, pairs, context):
    monkeypatch.setattr(preference, "LEAST", "999")
    [(_, message)] = problems(trainer())
    assert "needs trl 999 or newer" in message and "preference]'" in message
    with pytest.raises(harness.EnvironmentFailure, match="needs trl 999"):
        trainer().train(base, pairs, (), context)

    def absent(name):
        raise preference.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(preference.importlib.metadata, "version", absent)
    assert preference.missing().startswith(
        "needs the package trl, which is not installed here: pip"
    )
