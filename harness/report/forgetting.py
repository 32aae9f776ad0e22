"""What the models of rounds forgot of general text and instructions, as the summary tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.kit.documents import finite
from harness.kit.numbers import signed
from harness.kit.text import one_line
from harness.records import BASE_ARM, Forgetting
from harness.records.summary import Forgot, LostAnswers, LostText

if TYPE_CHECKING:
    from harness.engine.history import History
    from harness.engine.steps import Steps


def forgotten(steps: Steps, history: History) -> dict[int, Forgetting]:
    """Round of the main arm -> its model beside the base model, where that was measured."""
    # NumPy: a run that is finished answers without it.
    from harness.loop import answered, rise
    from harness.stats.decision import alpha_of
    from harness.verdicts.forgetting import compared

    alpha, by_round = alpha_of(steps.config.settings.rounds), {}
    for arm, number in history.general:
        measured = rise(steps, history, (arm, number))
        if arm == BASE_ARM and measured is not None:
            answers = answered(history, (arm, number))
            by_round[number] = compared(measured, answers.pop(""), alpha, answers)
    return by_round


def forgot(round_: int, loss: Forgetting | None) -> Forgot | None:
    """What a round's model is shown to have lost.

    Args:
        round_: the best one, or the latest where none improved.
        loss: None where it was not measured.
    """
    if loss is None:
        return None
    level = loss.level
    answers = LostAnswers(loss.right_before, loss.right_after, loss.asked, loss.p, level)
    before, after, bound = map(finite, (loss.loss_before, loss.loss_after, loss.low))
    return Forgot(
        round_,
        answers if loss.worse_answers else None,
        LostText(before, after, loss.texts, bound, level) if loss.worse_text else None,
        one_line(_worse(loss)),
    )


def _worse(loss: Forgetting) -> str:
    """``worse at general instructions: 22 → 4 of 40``; empty where nothing is shown."""
    parts = []
    if loss.worse_answers:
        counts = f"{loss.right_before} → {loss.right_after} of {loss.asked}"
        parts.append(f"general instructions: {counts}")
    if loss.worse_text:
        parts.append(f"general text: {signed(loss.difference)} nats per token")
    parts += [
        f"{kind.kind}: {kind.right_before} → {kind.right_after} of {kind.asked}"
        for kind in loss.kinds
        if kind.worse
    ]
    return f"worse at {', and at '.join(parts)}" if parts else ""
