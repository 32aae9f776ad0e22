"""A run looked at again: the loop walked through with all of its stages taken from the store.

Nothing is trained and nothing is generated; stored answers may be scored.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config import loading as configuration
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.errors import DataError, HarnessError, UsageError, Waiting, near
from harness.kit.files import read_json
from harness.kit.inside import inside
from harness.kit.remote.spending import counting, current
from harness.loop import rounds
from harness.opened import branches
from harness.records import BASE_ARM, Checkpoint, Prediction, RoundResult, from_json
from harness.records.context import Watcher
from harness.run import provenance
from harness.run.arm_run import name_within
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.job import ANSWERS
from harness.run.journal import ClosedRounds, Tested
from harness.run.ledger import Ledger, Unopened
from harness.run.pins import MODEL
from harness.run.places import CONFIG, JOURNAL, MACHINE_FOLDER
from harness.run.run import Run
from harness.run.stage_keys import Versions
from harness.steps import Steps
from harness.steps.answer import Evaluation
from harness.steps.history import History


class StoredRun(Run):
    """A run that is only looked at: what it has not stored is an error.

    Scores and kinds of errors that are not stored any more may be made again; what a closed round
    or the opening of the test set was given is pinned.

    Attributes:
        may_make: how the names of the stages begin that may be made now.
    """

    writes = counts = False
    may_make: tuple[str, ...] = ("score", "detect", "screen")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.ledger = Ledger(self.ledger.path, writable=False)
        # Which plugin is at work is of interest for the run itself, perhaps in another process.
        self.calls.path = None
        self._made = provenance.read(self.folder)
        self._own = {id(entry) for entry in self.config.makers()}
        self._asked: PluginEntry | None = None

    @property
    def work(self) -> Path:
        """Of its own: the run may be in progress in another process."""
        *within, name = self.name.split("/")
        return inside(self.machine, "work", *within, f"{name}-looked-at-by-{os.getpid()}")

    @functools.cached_property
    def journal(self) -> ClosedRounds:
        return ClosedRounds(self.folder / JOURNAL)

    def close(self, result: RoundResult) -> RoundResult:
        """A round as it was closed; nothing is decided here."""
        closed = self.journal.closed(result.arm, result.round)
        if closed is None:
            raise NotStored(
                f"round {result.round} is not closed", where=self.name, hint="harness iterate"
            )
        return closed

    def tested(self, pinned: Tested) -> None:
        return None

    def wait(self, at: At, generated: str) -> None:
        return None

    def mismatch(self, stage: str, at: At) -> HarnessError:
        return NotStored(
            f"round {at.round}: {stage}: what the round was closed with is not in the store",
            where=self.name,
            hint="harness iterate with the run's config makes it again",
        )

    def prepare(self) -> None:
        return None

    def versions(self, entry: PluginEntry) -> Versions:
        """Those that its stages were made with, so that they are found after an upgrade too."""
        now = super().versions(entry)
        if id(entry) not in self._own:
            return now
        return {name: self._made.libraries.get(name, version) for name, version in now.items()}

    def environment(self, entry: PluginEntry) -> Mapping[str, str]:
        """That of the machine where its stages were made."""
        return self._made.environments.get(entry.part, {})

    def stage(
        self, stage: str, entry: PluginEntry | None, *arguments: Any, **named: Any
    ) -> Artifact:
        self._asked = entry
        return super().stage(stage, entry, *arguments, **named)

    def observe(self, hook: str, **arguments: Any) -> None:
        return None

    def _make(
        self, stage: str, key: str, label: str, make: Callable[[Path], Mapping[str, Any]]
    ) -> Any:
        if not stage.startswith(self.may_make):
            raise NotStored(
                f"{label}: what it gave is not in the store",
                where=self.name,
                hint="harness iterate with the run's config makes it again",
            )
        changed = self._upgraded()
        if changed:
            raise NotStored(
                f"{label}: what it gave is not in the store, and the run was made with "
                f"{', '.join(changed)}",
                where=self.name,
                hint="install that, or harness iterate with the run's config makes it again",
            )
        try:
            # What is scored anew is paid by the run, too; whoever forecasts has nothing sent.
            with counting(current() or self.spending):
                return super()._make(stage, key, label, make)
        finally:
            with contextlib.suppress(OSError):
                self.work.rmdir()

    def _upgraded(self) -> list[str]:
        """What the stage was made with, where another version is installed by now."""
        entries = self.config.detect if self._asked is None else [self._asked]
        changed: list[str] = []
        for entry in entries:
            now = super().versions(entry)
            then = self.versions(entry).items()
            changed += [f"{name} {version}" for name, version in then if now[name] != version]
        return sorted(changed)


class NotStored(DataError):
    """A stage of a run that only looks at what is stored."""


class StoredSteps(Steps):
    """The steps of a :class:`StoredRun`: the model is known by what was written of it.

    Attributes:
        stopped: why :func:`replay` went no further; None where it came to the end.
    """

    run: StoredRun
    stopped: HarnessError | None = None
    lacking = (NotStored,)

    def within(self, config: Config) -> StoredSteps:
        run = StoredRun(config, self.run.watcher, name=name_within(self.run, config))
        run.may_make = self.run.may_make
        return StoredSteps(run, beside=self)

    def same_machine(self, old: Evaluation, round_: int) -> None:
        """Nothing is compared anew here."""

    def base(self) -> Checkpoint:
        try:
            base = from_json(Checkpoint, read_json(self.run.base_file))
        except (OSError, ValueError, TypeError):
            raise NotStored(
                "which model the run began with is not known",
                where=str(self.run.base_file),
                hint="harness iterate with the run's config writes it",
            ) from None
        self.check_pin(MODEL, base.digest, self.pins(At()), At())
        return base


def opened(name: str, watcher: Watcher) -> StoredRun:
    """The run of that name in this folder, by the whole configuration that it began with.

    Raises:
        UsageError: no run of that name was begun here.
        Untrusted: it was not begun here, and names plugin files.
    """
    return StoredRun(configuration.load(_config_of(name)), watcher, name=name)


def _config_of(name: str) -> Path:
    root = Path(MACHINE_FOLDER) / "runs"
    config = root / name / CONFIG
    if not config.is_file():
        known = sorted(path.parent.name for path in root.glob(f"*/{CONFIG}"))
        hint = "harness runs lists them" if known else "harness iterate makes one"
        raise UsageError(f"no run is called '{name}'{near(name, known)}", hint=hint)
    return config


@dataclass(frozen=True, slots=True)
class Answered:
    """What a round answered, and the digest of that."""

    round: int
    predictions: tuple[Prediction, ...]
    digest: str


def answered(run: StoredRun) -> list[Answered]:
    """The main arm's answers to dev, round by round, by what the journal says of them; those of
    a round that waits for people too.

    Nothing else of the run has to be there any more, and no plugin but the source the same.

    Raises:
        DataError: no round is closed, or the answers of one are gone.
    """
    wanted_of = {r.round: r.keys["generate"] for r in run.journal.rounds(BASE_ARM)}
    waiting = run.journal.waiting()
    if waiting is not None and waiting[0] == BASE_ARM:
        wanted_of[waiting[1]] = waiting[2]
    rounds = []
    for number, wanted in wanted_of.items():
        artifact = run.artifacts.with_digest("generate", wanted)
        if artifact is None:
            raise NotStored(
                f"the answers of round {number} (generate) are not in the store",
                where=run.name,
                hint="harness iterate with the run's config makes them again",
            )
        rounds.append(Answered(number, artifact.records(Prediction, ANSWERS), wanted))
    if not rounds:
        raise NotStored("no round of it is closed yet", where=run.name, hint="harness iterate")
    return rounds


def replay(run: StoredRun) -> tuple[StoredSteps, History]:
    """Everything that the run has stored.

    Raises:
        DataError: not even its first round is whole.
        Waiting: it waits for people in its first round.
    """
    steps, history = StoredSteps(run), History()
    try:
        for _ in rounds(steps, history):
            pass
        branches.carry_out(steps, history)
    except (NotStored, Unopened, Waiting) as reason:
        # The rest was never made, or waits for people.
        steps.stopped = reason
        if (BASE_ARM, 0) not in history.results:
            raise
    return steps, history
