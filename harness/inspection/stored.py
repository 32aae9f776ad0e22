"""A run's stored rounds, walked to without anything being made, counted or decided."""

from __future__ import annotations

from harness import stored
from harness.context import Quiet
from harness.engine.history import History
from harness.errors import DataError
from harness.loop import rounds
from harness.records import BASE_ARM
from harness.stored import StoredRun, StoredSteps


def opened(name: str) -> StoredRun:
    """The run of that name, of which nothing is made: it may be in progress in another process.

    Raises:
        UsageError: no run of that name was begun here.
        ConfigError: its configuration cannot be loaded any more (a plugin is gone, say).
    """
    run = stored.opened(name, Quiet())
    run.may_make = ()
    return run


def walked(run: StoredRun, number: int) -> tuple[StoredSteps, History]:
    """All that is stored up to a closed round of the main arm; the test set stays closed.

    Raises:
        DataError: something of it is not stored any more.
    """
    steps, history = StoredSteps(run), History()
    for result in rounds(steps, history):
        if (result.arm, result.round) == (BASE_ARM, number):
            return steps, history
    raise DataError(f"round {number} is not closed", where=run.name, hint="harness iterate")
