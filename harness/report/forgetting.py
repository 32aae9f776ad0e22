"""What the models of rounds forgot of general text and instructions, as the summary tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.kit.numbers import signed
from harness.kit.text import one_line
from harness.records import BASE_ARM, Forgetting
from harness.report.reading import Document
from harness.report.values import finite

if TYPE_CHECKING:
    from harness.engine.history import History
    from harness.engine.steps import Steps


def forgotten(steps: Steps, history: History) -> dict[int, Forgetting]:
    """Round of the main arm -> its model beside the base model, where that was measured."""
    # NumPy: a run that is finished answers without it.
    from harness.loop import rise
    from harness.stats.decision import alpha_of
    from harness.verdicts.forgetting import Answers, compared

    alpha, found = alpha_of(steps.config.settings.rounds), {}
    for (arm, number), beside in history.probed.items():
        measured = rise(steps, history, (arm, number))
        if arm == BASE_ARM and measured is not None:
            answers = Answers(beside.before.right, beside.after.right)
            found[number] = compared(measured, answers, alpha)
    return found


def forgetting_entry(found: Forgetting | None) -> Document | None:
    """``forgetting`` of a round in ``summary.json``."""
    if found is None:
        return None
    numbers = ("loss_before", "loss_after", "difference", "low", "high", "level")
    return {
        **{name: finite(getattr(found, name)) for name in numbers},
        "texts": found.texts,
        "groups": found.groups,
        "tokens": found.tokens,
        "left_out": found.left_out,
        "instructions": {
            "asked": found.asked,
            "right_before": found.right_before,
            "right_after": found.right_after,
            "lost": found.lost,
            "gained": found.gained,
            "p": finite(found.p),
            "sentence": one_line(found.answers),
        },
        "sentence": one_line(found.sentence),
    }


def forgot_entry(round_: int, found: Forgetting | None) -> Document | None:
    """``forgot`` in ``summary.json``: what a round's model is shown to have lost.

    Args:
        round_: the best one, or the latest where none improved.
        found: None where it was not measured.
    """
    if found is None:
        return None
    instructions = {
        "before": found.right_before, "after": found.right_after, "n": found.asked,
        "p": finite(found.p), "level": finite(found.level),
    }  # fmt: skip
    loss = {
        "before": finite(found.loss_before), "after": finite(found.loss_after), "n": found.texts,
        "bound": finite(found.low), "level": finite(found.level),
    }  # fmt: skip
    return {
        "round": round_,
        "instructions": instructions if found.worse_answers else None,
        "loss": loss if found.worse_text else None,
        "sentence": one_line(_worse(found)),
    }


def _worse(found: Forgetting) -> str:
    """``worse at general instructions: 22 → 4 of 40``; empty where nothing is shown."""
    told = []
    if found.worse_answers:
        counts = f"{found.right_before} → {found.right_after} of {found.asked}"
        told.append(f"general instructions: {counts}")
    if found.worse_text:
        told.append(f"general text: {signed(found.difference)} nats per token")
    return f"worse at {', and at '.join(told)}" if told else ""
