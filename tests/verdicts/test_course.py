"""The word for a training: what its log shows, and what it is too small to show."""

from __future__ import annotations

import numpy as np
import pytest

from harness.verdicts.course import course

STEPS, EPOCHS = 80, 4
AT = [0, 10, 20, 30, 40, 50, 60, 70, 80]


def log(valid, train=None, *, rows=20, noise=0.05, rates=None, seed=1):
    """A log whose rows lose what the curves say at each point, each more or less by its own factor.

    Args:
        valid, train: share of the training (0 to 1, by learning rate) -> mean loss per token.
    """
    random = np.random.default_rng(seed)
    train = train or valid
    rates = np.ones(STEPS) if rates is None else np.asarray(rates, float)
    time = np.concatenate([[0], rates.cumsum() / rates.sum()])
    lines = []
    for step in range(1, STEPS + 1):
        loss = train(time[step - 1]) * np.exp(0.03 * random.normal())
        lines.append(
            {"step": step, "epoch": step * EPOCHS / STEPS, "loss": loss,
             "learning_rate": float(rates[step - 1])}
        )  # fmt: skip
    sides = {"eval": (valid, rows), "train": (train, max(1, rows // 2))}
    tokens = {name: random.integers(8, 20, size=n) for name, (_, n) in sides.items()}
    for step in AT:
        line = {"step": step, "epoch": step * EPOCHS / STEPS}
        for name, (curve, n) in sides.items():
            factor = np.exp(noise * random.normal(size=n))
            sums = curve(time[step]) * tokens[name] * factor
            line[f"{name}_loss"] = float(sums.sum() / tokens[name].sum())
            line[f"{name}_rows"] = {
                "of": 100, "losses": sums.tolist(), "tokens": tokens[name].tolist()
            }  # fmt: skip
        lines.append(line)
    return lines


def settling(rate):
    """Goes from 3 to 1, with so many time constants in the training."""
    return lambda at: 1 + 2 * np.exp(-rate * at)


def memorised(at):
    """Least at a quarter of the training, then rising to 2."""
    return 3 - 6 * at if at < 0.25 else 1.5 + (at - 0.25) / 1.5


def test_a_curve_that_has_settled_is_converged():
    found = course(log(settling(8)))
    assert (found.kind, found.since) == ("converged", None)
    assert found.sentence.startswith("converged: 1 % of the fall of the validation loss (from 2")
    assert "20 of 100 rows" in found.sentence
    assert found.advice == "More epochs at this learning rate would change little."
    assert (found.valid_rows, found.valid_of) == (20, 100)


def test_a_curve_that_still_falls_is_still_learning():
    found = course(log(settling(1)))
    assert found.kind == "still learning"
    assert "more epochs" in found.advice


def test_halves_are_those_of_the_learning_rate():
    """By steps, this one has flattened; it learned evenly for as long as it had a rate."""
    rates = [1.0] * 20 + [0.01] * 60
    assert course(log(lambda at: 3 - 2 * at, rates=rates)).kind == "still learning"
    without = [
        {key: value for key, value in line.items() if key != "learning_rate"}
        for line in log(lambda at: 3 - 2 * at, rates=rates)
    ]
    assert course(without).kind == "converged"


def test_a_rise_after_the_least_loss_is_overfitting_since_then():
    found = course(log(memorised, settling(20)))
    assert (found.kind, found.since) == ("overfitting", 1.0)
    assert found.sentence.startswith(
        "overfitting since epoch 1: the validation loss rose from 1.5 at epoch 1 to "
    )
    assert "while that of training rows ended at" in found.sentence


def test_a_rise_that_the_training_rows_share_is_no_overfitting():
    found = course(log(memorised, memorised))
    assert (found.kind, found.since) == ("unstable", 1.0)
    assert "so did the loss of training rows" in found.sentence
    assert "Lower the learning rate" in found.advice


def test_a_step_that_loses_what_was_learned_is_unstable():
    def spike(at):
        return 2.8 if 0.3 < at < 0.36 else settling(8)(at)

    found = course(log(settling(8), spike))
    assert found.kind == "unstable"
    assert "the training loss rose from" in found.sentence
    assert "times the noise of a step" in found.sentence
    assert 0 < found.since <= 1.3


@pytest.mark.parametrize("loss", [0.05, 4.0])
def test_the_last_step_of_an_epoch_may_have_a_single_row(loss):
    """An odd row is no more than odd, whether it is easy or hard."""
    plain, lines = (log(settling(3)) for _ in range(2))
    for line in lines:
        if "loss" in line and line["epoch"] == 1:
            line["loss"] = loss
    assert course(lines).kind == course(plain).kind != "unstable"


def test_a_blow_up_is_seen_where_epochs_are_one_step_or_are_not_told():
    def spike(at):
        return 2.8 if 0.3 < at < 0.36 else settling(8)(at)

    lines = log(settling(8), spike)
    for change in ({"epoch": None}, {"epoch": 3}):
        assert course([{**line, **change} for line in lines]).kind == "unstable"
    assert course([{**line, "epoch": line["step"]} for line in lines]).kind == "unstable"


def test_noise_alone_is_no_rise():
    """Of settled curves with an unlucky end, hardly one is called overfitting or unstable."""
    kinds = [course(log(settling(8), noise=0.1, seed=seed)).kind for seed in range(100)]
    assert kinds.count("overfitting") + kinds.count("unstable") <= 5
    assert kinds.count("still learning") <= 5


def test_where_too_little_is_known_there_is_no_kind():
    for given, words in [
        (log(settling(8), rows=1), "only 1 validation row was measured"),
        (log(settling(3.5), rows=3, noise=0.2), "cannot say whether it goes on"),
        (log(lambda at: 2.0), "did not fall by more than its noise"),
        ([line for line in log(settling(8)) if "loss" in line], "there are no validation rows"),
        (log(settling(8))[:STEPS + 2], "were measured 2 times"),
        (
            [{"step": step, "epoch": step, "eval_loss": 1 / step} for step in range(1, 9)],
            "no losses of single rows",
        ),
    ]:  # fmt: skip
        found = course(given)
        assert (found.kind, found.since) == (None, None), given
        assert found.sentence.startswith("cannot be told: "), given
        assert words in found.sentence, given
        assert found.sentence.endswith("."), given


def test_a_log_without_losses_has_no_course():
    assert course([]) is None
    assert course([{"step": 3, "note": "hello"}]) is None


def test_what_was_kept_and_where_it_stopped_is_told():
    lines = log(memorised, settling(20))
    decided = [{"step": 80, "stopped": True}, {"step": 20, "kept": True}]
    found = course([*lines, *decided])
    assert "stopped early, after step 80" in found.sentence
    assert "the model of step 20 was kept, whose validation loss was least" in found.sentence
    seen = [{"step": at, "score": 1 / at, "score_rows": 9} for at in (20, 80)]
    by_score = course([*lines, *seen, *decided])
    assert "the model of step 20 was kept, which scored best on valid" in by_score.sentence


def test_the_advice_is_not_what_was_done_already():
    kept, stopped = {"step": 20, "kept": True}, {"step": 80, "stopped": True}
    plain = course(log(memorised, settling(20))).advice
    assert plain.startswith("Train for fewer epochs, or keep the adapter")
    assert course([*log(memorised, settling(20)), kept]).advice == (
        "More rows, or more varied ones, put overfitting off."
    )
    sooner = course([*log(memorised, settling(20)), stopped]).advice
    assert sooner.startswith("Stop sooner (less patience), or keep the adapter")
    for curve in (settling(1), lambda at: 2.0):
        assert "Train for more epochs, or" in course(log(curve)).advice
        advice = course([*log(curve), stopped]).advice
        assert "more epochs" not in advice
        assert "Train on for longer (more patience), or at a higher" in advice


def test_points_of_other_rows_are_left_out():
    lines = log(memorised, settling(20))
    other = next(line for line in lines if line["step"] == 0)
    other["eval_rows"] = {"of": 100, "losses": [0.0, 0.0], "tokens": [1, 1]}
    assert course(lines).kind == "overfitting"


def test_steps_may_be_numbered_by_tokens():
    lines = log(settling(8))
    large = [{**line, "step": line["step"] * 10**9} for line in lines]
    assert course(large) == course(lines)


def test_lines_without_learning_rates_measure_progress_by_steps():
    bare = [
        {key: value for key, value in line.items() if key != "learning_rate"}
        for line in log(settling(8))
    ]
    measured_alone = [line for line in bare if "eval_loss" in line]
    assert course(bare) == course(log(settling(8)))
    assert course(measured_alone) == course(bare)
