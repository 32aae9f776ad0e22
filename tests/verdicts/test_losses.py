"""By which loss a training is compared with others."""

from __future__ import annotations

from typing import Any

from harness.verdicts.losses import final

POINTS: list[dict[str, Any]] = [
    {"step": 0, "eval_loss": 3.0}, {"step": 4, "loss": 1.0}, {"step": 4, "eval_loss": 1.0},
    {"step": 8, "eval_loss": 2.0},
]  # fmt: skip
KEPT = {"step": 4, "kept": True}


def test_the_loss_of_the_weights_that_are_left_counts() -> None:
    for log, value in [
        ([], None),
        ([{"step": 1, "loss": 1.0}], None),
        (POINTS, 2.0),
        ([*POINTS, KEPT], 1.0),
        ([*POINTS, KEPT, {"step": 8, "eval_loss": 1.5}], 1.5),
    ]:
        assert final(log) == value, log
