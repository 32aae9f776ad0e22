"""How the models of rounds predict general text, as the summary tells it."""

from __future__ import annotations

from harness.engine.history import History
from harness.engine.steps import Steps
from harness.loop import rise
from harness.records import BASE_ARM, Forgetting


def forgotten(steps: Steps, history: History) -> dict[int, Forgetting]:
    """Round of the main arm -> its model beside the base model, where that was measured."""
    # NumPy: a run that is finished answers without it.
    from harness.verdicts.forgetting import compared

    found = {}
    for (arm, number), beside in history.probed.items():
        measured = rise(steps, history, (arm, number))
        if arm == BASE_ARM and measured is not None:
            found[number] = compared(measured, beside.before.right, beside.after.right)
    return found
