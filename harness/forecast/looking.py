"""How far a run is: the loop walked through, up to the first thing that would cost something.

Rows are read and screened, and stored answers are scored, as the run would do it; both are kept in
the store, where the run finds them. Nothing is trained or answered, and no round is closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.context import Report, Watcher
from harness.engine.artifacts import Artifact
from harness.engine.at import At
from harness.engine.history import History
from harness.engine.ledger import Unopened
from harness.engine.run import Run
from harness.engine.stage_keys import Versions
from harness.engine.steps import Steps
from harness.errors import Waiting
from harness.kit.files import remove, write_bytes
from harness.loop import rounds
from harness.records import Checkpoint, RoundResult
from harness.stored.replay import NotStored, StoredRun

Place = tuple[str, int, str]
"""Arm, round, stage."""


class Unspoken:
    """Shows what is being done, and leaves out what the run itself will say."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def stage(self, label: str) -> Report:
        return self._watcher.stage(label)

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, label, seconds, True)

    def say(self, sentence: str) -> None:
        return None


class PlannedRun(StoredRun):
    """The run that ``harness iterate`` would begin or go on with, looked at.

    Attributes:
        stored: the stages of it that the store has -> seconds that each took.
        looking: seconds of the stages that were made while looking; the run finds them stored.
    """

    may_make = ("data", "screen", "score", "detect", "analyze", "prompts")

    def __init__(
        self, config: Config, watcher: Watcher, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(config, watcher, cancelled=cancelled)
        self.stored: dict[Place, float] = {}
        self.looking = 0.0

    @property
    def base_file(self) -> Path:
        """A copy: the run's own says what it began with, and it may never begin."""
        copy, own = self.work / "base.json", self.folder / "base.json"
        if own.is_file() and not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(copy, own.read_bytes())
        return copy

    def close(self, result: RoundResult) -> RoundResult:
        """As it was closed, or as it would be."""
        return self.journal.closed(result.arm, result.round) or result

    def versions(self, entry: PluginEntry) -> Versions:
        """Those of today: what is missing would be made with them."""
        return Run.versions(self, entry)

    def environment(self, entry: PluginEntry) -> Mapping[str, str]:
        """That of this machine."""
        return Run.environment(self, entry)

    def _keep_made_with(self) -> None:
        return None

    def stage(
        self, stage: str, entry: PluginEntry | None, inputs: Any, make: Any, at: At, **named: Any
    ) -> Artifact:
        known = len(self.cached)
        made = super().stage(stage, entry, inputs, make, at, **named)
        self.looking += made.seconds if len(self.cached) == known else 0.0
        self.stored[at.arm, at.round, stage] = made.seconds
        return made


class PlannedSteps(Steps):
    """The steps of a :class:`PlannedRun`: a baseline without answers stops no walk."""

    lacking = (NotStored,)


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the walk came.

    Attributes:
        seconds: that the walk took, without what it left in the store: as the run will.
        waiting: what the run waits for; empty where for nothing.
    """

    history: History
    base: Checkpoint
    seconds: float
    waiting: str = ""


def walked(run: PlannedRun) -> Walk:
    """The run as far as it is made.

    Raises:
        HarnessError: the run could not be carried out: its data, its model, another machine.
    """
    steps, history, waiting = PlannedSteps(run), History(), ""
    begin = time.monotonic()
    try:
        for _ in rounds(steps, history):
            pass
    except (NotStored, Unopened):
        if not history.data.examples:  # a closed round had other rows
            raise
    except Waiting as wait:
        waiting = wait.what
    base = steps.base()
    seconds = max(0.0, time.monotonic() - begin - run.looking)
    return Walk(history, base, seconds, waiting)


def cleared(run: PlannedRun) -> None:
    """Take away what looking needed: the worker's end, and its folder."""
    run.worker.close()
    remove(run.work)
