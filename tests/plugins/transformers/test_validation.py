"""What is measured while a model is trained: on which rows, how often, and at what cost."""

from __future__ import annotations

import json

import pytest

from harness_transformers.lora import LoraTrainer
from tests.support.later import Later

layouts = Later("harness_transformers.layouts")
training = Later("harness_transformers.training")
validation = Later("harness_transformers.validation")


def trainer(**options):
    settings = {"r": 4, "epochs": 1, "batch_size": 4, "precision": "fp32", **options}
    return LoraTrainer(LoraTrainer.Options(**settings))


def measured(context):
    lines = map(json.loads, (context.output / "log.jsonl").read_text().splitlines())
    return [line for line in lines if "eval_loss" in line]


@pytest.mark.parametrize(
    ("steps", "per_epoch", "expected"),
    [
        (16, 8, [0, 2, 4, 6, 8, 10, 12, 14, 16]),
        (24, 8, [0, 3, 6, 8, 9, 12, 15, 16, 18, 21, 24]),
        (3, 3, [0, 1, 2, 3]),
        (12, 8, [0, 2, 3, 5, 6, 8, 9, 11, 12]),
    ],
)
def test_losses_are_measured_on_a_grid_and_at_the_ends_of_epochs(steps, per_epoch, expected):
    assert validation.points(steps, per_epoch) == expected


def test_epochs_that_are_shorter_than_the_grid_are_no_points():
    assert validation.points(100 * 2, 2) == [25 * place for place in range(9)]


@pytest.mark.nightly
def test_the_same_rows_are_measured_at_every_point(base, row, context):
    rows = [row(number) for number in range(40)]
    trainer(epochs=8, learning_rate=0.02).train(base, rows[:30], rows[30:], context)
    found = measured(context)
    assert [line["step"] for line in found] == validation.points(64, 8)
    assert [line["epoch"] for line in found][-1] == 8
    for side, of in (("eval", 10), ("train", 30)):
        losses = [line[f"{side}_rows"]["losses"] for line in found]
        tokens = found[0][f"{side}_rows"]["tokens"]
        assert len(tokens) == len(losses[0]) > 1
        assert all(line[f"{side}_rows"]["tokens"] == tokens for line in found)
        assert all(line[f"{side}_rows"]["of"] == of for line in found)
        for line, sums in zip(found, losses, strict=True):
            assert line[f"{side}_loss"] == pytest.approx(sum(sums) / sum(tokens), abs=1e-4)
    assert found[-1]["train_loss"] < found[0]["train_loss"] - 0.3


@pytest.mark.parametrize(("train", "valid", "epochs"), [(90, 10, 2), (300, 300, 1), (16, 64, 40)])
def test_validation_stays_a_small_share_of_the_training(train, valid, epochs):
    """Passes without gradients, at their price, against those that are learned."""
    at = validation.points(epochs * 12, 12)
    held, learned = validation.affordable(train * epochs, len(at))
    spent = (min(held, valid) + learned) * len(at) * validation.COST
    assert spent <= 0.1 * train * epochs
    assert held >= learned >= 1


def test_a_rows_loss_is_the_one_that_training_would_see(base, row, context):
    import torch

    from harness_transformers import arguments
    from harness_transformers.chats import Chats
    from harness_transformers.quiet import quietly

    plugin = trainer(dropout=0.5)
    with quietly():
        chats = Chats.of(base)
        rows = chats.training_rows([row(number) for number in range(3)], plugin.options)
        model = plugin._adapted(base)
        settings = arguments.make(plugin.options, context)
        layout = layouts.Padded(model, chats.tokenizer.pad_token_id)
        made = training.make(model, layout, settings, rows, rows, context)
    data = [made.eval_dataset[number] for number in range(3)]
    sums, tokens = made.row_losses(data)
    assert tokens == [one.trained for one in rows]
    assert model.training
    model.eval()
    with torch.no_grad():
        for place, one in enumerate(data):
            alone = float(made.compute_loss(model, made.data_collator([one])))
            assert sums[place] / tokens[place] == pytest.approx(alone, rel=1e-5)


@pytest.mark.nightly
def test_measuring_changes_nothing_of_what_is_learned(base, row, another):
    rows = [row(number) for number in range(12)]
    found = []
    for valid in ((), rows[8:]):
        context = another()
        trainer(dropout=0.1, epochs=2).train(base, rows[:8], valid, context)
        found.append((context.output / "adapter_model.safetensors").read_bytes())
    assert found[0] == found[1]


def test_without_validation_rows_nothing_is_measured(base, row, context):
    trainer().train(base, [row(number) for number in range(4)], (), context)
    assert measured(context) == []
