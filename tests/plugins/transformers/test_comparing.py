"""Trainings with different settings: measured on the same rows, and cut short by a limit."""

from __future__ import annotations

import json

import pytest

from harness_transformers.lora import LoraTrainer

NO_LIMITS = ((0.25, None), (0.5, None), (0.75, None))


def trained(base, rows, context, *, limits=(), **options):
    """The log of a training that is compared with others, on half of the rows as valid."""
    settings = {"r": 4, "epochs": 1, "batch_size": 4, "precision": "fp32", **options}
    context.whole_valid, context.limits = True, limits
    half = len(rows) // 2
    plugin = LoraTrainer(LoraTrainer.Options(**settings))
    plugin.train(base, rows[:half], rows[half:], context)
    return [json.loads(one) for one in (context.output / "log.jsonl").read_text().splitlines()]


def at_shares(log):
    return [line for line in log if "share" in line]


@pytest.fixture
def rows(row):
    return [row(number) for number in range(40)]


def test_all_rows_of_valid_are_measured_at_the_end(base, rows, context):
    log = trained(base, rows, context, keep="best", learning_rate=0.02)
    *before, last = [line for line in log if "eval_loss" in line]
    assert len(last["eval_rows"]["losses"]) == 20 > len(before[-1]["eval_rows"]["losses"])
    assert log[-2]["kept"] and log[-1] == last, "under the weights that are saved"
    assert at_shares(log) == []


@pytest.mark.nightly
def test_the_same_rows_are_measured_at_shares_of_trainings_of_any_length(base, rows, another):
    # At a rate of (nearly) nothing the model stays what it is: so does the loss of the same rows.
    logs = [
        trained(base, rows, another(), limits=NO_LIMITS, learning_rate=1e-12, **options)
        for options in ({"epochs": 1, "batch_size": 2}, {"epochs": 3}, {"epochs": 0.5})
    ]
    steps = [[line["step"] for line in at_shares(log)] for log in logs]
    assert steps == [[3, 5, 8], [4, 8, 12], [1, 2]]
    losses = [line["share_loss"] for log in logs for line in at_shares(log)]
    assert losses == pytest.approx([losses[0]] * 8, rel=1e-5)


@pytest.mark.nightly
def test_a_training_ends_where_its_loss_lies_above_the_limit(base, rows, another):
    whole = trained(base, rows, another(), limits=NO_LIMITS, keep="best", epochs=2)
    first, second, _ = (line["share_loss"] for line in at_shares(whole))
    limits = ((0.25, first), (0.5, second - 1e-6), (0.75, None))
    cut = trained(base, rows, another(), limits=limits, keep="best", epochs=2)
    assert [line["share"] for line in at_shares(cut)] == [0.25, 0.5]
    assert [line.get("ended", False) for line in at_shares(cut)] == [False, True]
    assert max(line["step"] for line in cut) == 5
    assert [line for line in cut if "loss" in line] == [
        line for line in whole if "loss" in line and line["step"] <= 5
    ], "up to there it is the same training"
    assert all(len(line["eval_rows"]["losses"]) < 20 for line in cut if "eval_loss" in line)


def test_the_end_of_a_short_training_is_no_share_of_it(base, rows, context):
    log = trained(base, rows[:8], context, limits=((0.25, 0.0), (0.5, 0.0), (0.75, 0.0)))
    assert at_shares(log) == []
    assert "eval_loss" in log[-1]
