"""The sealed test set, and the one way in which a single row of it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.engine.ledger import Ledger
from harness.errors import DataError, HarnessError, UsageError
from harness.inspection.stored import opened
from harness.records import Example
from harness.stored import StoredRun, StoredSteps


def refused() -> UsageError:
    """What is said to whoever asks for a row of test."""
    return UsageError(
        "the test set is sealed: each look at it is counted, and takes from what it is worth",
        hint="--open-test to look all the same",
    )


def not_opened(run: str) -> DataError:
    """What is said where there is nothing to look at yet."""
    return DataError("its test set was not opened yet", where=run, hint="harness test RUN")


def holds(reports: Path, name: str) -> bool:
    """Whether an id is of the run's test set, where that can be known."""
    try:
        return any(row.id == name for row in _test(opened(reports.name)))
    except HarnessError:
        return False


def count_look(reports: Path, purpose: str) -> None:
    """Count a look in the ledger of openings, before it happens."""
    run = opened(reports.name)
    Ledger(run.ledger.path).open(_test(run), f"{run.name} {purpose}")


def _test(run: StoredRun) -> Sequence[Example]:
    return StoredSteps(run).data().split("test")
