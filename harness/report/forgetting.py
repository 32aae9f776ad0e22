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
    from harness.loop import rise
    from harness.stats.decision import alpha_of
    from harness.verdicts.forgetting import by_kind, compared

    alpha, found = alpha_of(steps.config.settings.rounds), {}
    for (arm, number), beside in history.general.items():
        measured = rise(steps, history, (arm, number))
        if arm == BASE_ARM and measured is not None:
            before, after = beside.before, beside.after
            answers = by_kind(before.kinds, before.right, after.right)
            found[number] = compared(measured, answers.pop(""), alpha, answers)
    return found


def forgot(round_: int, found: Forgetting | None) -> Forgot | None:
    """What a round's model is shown to have lost.

    Args:
        round_: the best one, or the latest where none improved.
        found: None where it was not measured.
    """
    if found is None:
        return None
    level = found.level
    answers = LostAnswers(found.right_before, found.right_after, found.asked, found.p, level)
    before, after, bound = map(finite, (found.loss_before, found.loss_after, found.low))
    return Forgot(
        round_,
        answers if found.worse_answers else None,
        LostText(before, after, found.texts, bound, level) if found.worse_text else None,
        one_line(_worse(found)),
    )


def _worse(found: Forgetting) -> str:
    """``worse at general instructions: 22 → 4 of 40``; empty where nothing is shown."""
    told = []
    if found.worse_answers:
        counts = f"{found.right_before} → {found.right_after} of {found.asked}"
        told.append(f"general instructions: {counts}")
    if found.worse_text:
        told.append(f"general text: {signed(found.difference)} nats per token")
    told += [
        f"{kind.kind}: {kind.right_before} → {kind.right_after} of {kind.asked}"
        for kind in found.kinds
        if kind.worse
    ]
    return f"worse at {', and at '.join(told)}" if told else ""
