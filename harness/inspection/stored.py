"""A run's stored rounds, walked to without anything being made, counted or decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import config as configuration
from harness.errors import DataError
from harness.history import History
from harness.loop import rounds
from harness.records import BASE_ARM
from harness.replay import NotStored, StoredRun, StoredSteps

CONFIG = "config.yaml"


class Still(StoredRun):
    """A run of which nothing is made: it may be in progress, in another process, meanwhile."""

    def _make(
        self, stage: str, key: str, label: str, make: Callable[[Path], Mapping[str, Any]]
    ) -> Any:
        raise NotStored(
            f"{label}: what it gave is not in the store",
            where=self.name,
            hint="harness iterate with the run's config makes it again",
        )


class _Silent:
    """Watches, and says nothing: whatever there was to say was said when the run was made."""

    def stage(self, label: str) -> Callable[[int, int, str], None]:
        return lambda done, total, what: None

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        return None

    def say(self, sentence: str) -> None:
        return None


def opened(reports: Path) -> Still:
    """The run that left these reports.

    Raises:
        ConfigError: its configuration cannot be loaded any more (a plugin is gone, say).
    """
    return Still(configuration.load(reports / CONFIG), _Silent(), name=reports.name)


def walked(run: Still, number: int) -> tuple[StoredSteps, History]:
    """All that is stored up to a closed round of the main arm; the test set stays closed.

    Raises:
        DataError: something of it is not stored any more.
    """
    steps, history = StoredSteps(run), History()
    for result in rounds(steps, history):
        if (result.arm, result.round) == (BASE_ARM, number):
            return steps, history
    raise DataError(f"round {number} is not closed", where=run.name, hint="harness iterate")
