"""The sealed test set, and the one way in which a single row of it is looked at."""

from __future__ import annotations

import harness


def refused() -> harness.UsageError:
    """What is said to whoever asks for a row of test."""
    return harness.UsageError(
        "the test set is sealed: each evaluation is counted, and makes later verdicts stricter",
        hint="--open-test to read it all the same",
    )


def not_opened(run: str) -> harness.DataError:
    """What is said where there is nothing to look at yet."""
    return harness.DataError("its test set was not opened yet", where=run, hint="harness test RUN")


def holds(run: str, name: str) -> bool:
    """Whether an id is of the run's test set, where that can be known."""
    try:
        return harness.open_run(run).in_test(name)
    except harness.HarnessError:
        return False
