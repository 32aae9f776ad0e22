"""A training beside the rounds: a run of its own config within the folder of another run.

It shares the store, the workers, the budget and the rows of that run, and closes no round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.config.loading import Config
from harness.errors import EnvironmentFailure, HarnessError
from harness.errors.machine import storing
from harness.kit.files import digest
from harness.records import Score
from harness.records.context import Quiet, Report, Watcher
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.run import Run


def name_within(run: Run, config: Config) -> str:
    """Of the run that carries an arm's config out; the same one at each start."""
    return f"{run.name}.arms/{digest(config.key())[:16]}"


class ArmRun(Run):
    """A run within a run. Observers are not told of it: it has no rounds.

    Where it is a loop, it judges by rows by which its run has judged already.
    """

    counts = False

    def __init__(self, within: Run, config: Config) -> None:
        super().__init__(
            config, within.watcher, root=within.root, cancelled=within.cancelled,
            name=name_within(within, config),
        )  # fmt: skip
        self.workers, self.budget, self.calls = within.workers, within.budget, within.calls
        self.driver = within.driver
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        if within._environments is not None and _as_made(self) == _as_made(within):
            self._environments = within._environments
            self._keep_made_with()

    def observe(self, hook: str, **arguments: Any) -> None:
        return None

    def mismatch(self, stage: str, at: At) -> HarnessError:
        return EnvironmentFailure(
            "what this arm was judged with is not stored any more, and what is made now differs "
            "from it (another machine, other libraries, a plugin that was changed)",
            where=at.in_round(stage),
            hint="its result stays as it was written down; to try it again, begin another run: "
            "--as-new-run",
        )


class AheadRun(ArmRun):
    """Makes what its run is about to ask for, side by side with what that does meanwhile."""

    def __init__(self, within: Run) -> None:
        super().__init__(within, within.config)
        self.watcher = _Ahead(within.watcher)

    def _make(
        self, stage: str, key: str, label: str, make: Callable[[Path], Mapping[str, Any]]
    ) -> Artifact:
        try:
            artifact = super()._make(stage, key, label, make)
        except HarnessError as error:
            self.workers.note_ahead((stage, key), error)
            raise
        self.workers.note_ahead((stage, key), None)
        return artifact


class _Ahead(Quiet):
    """Shows what is at work; that it has ended is told by whoever asks for it."""

    def __init__(self, watcher: Watcher) -> None:
        self.stage = watcher.stage  # type: ignore[method-assign]


def _as_made(run: Run) -> list[dict[str, Any]]:
    """What decides what the trainers and the generator say of this machine."""
    return [entry.key() for entry in (*run.config.trainers, run.config.generate)]


class Titled:
    """Shows what a loop beside the rounds is doing, each label after its title."""

    def __init__(self, watcher: Watcher, title: str) -> None:
        self._watcher, self._title = watcher, title

    def stage(self, label: str) -> Report:
        return self._watcher.stage(self._titled(label))

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, self._titled(label), seconds, cached)

    def scored(self, label: str, scores: Mapping[str, Score]) -> None:
        self._watcher.scored(self._titled(label), scores)

    def say(self, sentence: str) -> None:
        self._watcher.say(self._titled(sentence))

    def _titled(self, text: str) -> str:
        return f"{self._title}: {text}"
