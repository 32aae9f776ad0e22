"""The sealed test set, and the one way in which a single row of it is looked at."""

from __future__ import annotations

from harness.errors import DataError, HarnessError, UsageError
from harness.stored import open_run


def refused() -> UsageError:
    """What is said to whoever asks for a row of test."""
    return UsageError(
        "the test set is sealed: each look at it is counted, and takes from what it is worth",
        hint="--open-test to look all the same",
    )


def not_opened(run: str) -> DataError:
    """What is said where there is nothing to look at yet."""
    return DataError("its test set was not opened yet", where=run, hint="harness test RUN")


def holds(run: str, name: str) -> bool:
    """Whether an id is of the run's test set, where that can be known."""
    try:
        return open_run(run).in_test(name)
    except HarnessError:
        return False
