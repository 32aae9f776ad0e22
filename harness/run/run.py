"""One run: its name, its folders, and the one way in which a stage is carried out.

A run is named by its config file and a hash of what changes results, so that the same command
goes on with the same run and a changed one starts another (which still finds every unchanged
stage in the store).
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary.calls import PluginCall, PluginCalls, plainly
from harness.boundary.lending import Lent
from harness.boundary.results import facts as facts_of
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.config.running_code import CodeRunner, combining, running_code
from harness.errors import Cancelled, HarnessError
from harness.errors.machine import check_addresses, check_name, storing
from harness.kit import yaml_file
from harness.kit.files import digest, remove, write_bytes
from harness.kit.inside import inside
from harness.kit.remote.spending import Spending, account_of, current
from harness.records import Checkpoint, Example, RoundResult
from harness.records.context import Context, Watcher, silent
from harness.run import (
    beginning,
    journal,
    pins,
    places,
    provenance,
    resume_command,
    scratch,
    spent,
    uses,
)
from harness.run.artifacts import Artifact, Artifacts
from harness.run.at import At
from harness.run.budget import Budget
from harness.run.job import Job, as_environment, run_inline, write, write_question
from harness.run.journal import ClosedRounds, Journal, Tested
from harness.run.ledger import Ledger
from harness.run.pins import GENERATE, TRAIN
from harness.run.places import CONFIG, JOURNAL, LEDGER, MACHINE_FOLDER, REPORTS_FOLDER
from harness.run.provenance import MadeWith
from harness.run.stage_keys import CORE_REVISION, Versions, all_inputs, entry_key, versions_in
from harness.run.workers import Workers
from harness.stages import Plugin, Resources

CALLING = "calling.json"
"""Which plugin is at work in this process, in the run's folder."""
ROUND_0 = At()
_JOBS = ("model", "trainer", "generator")
"""Stages whose plugins work in jobs."""


class Driver:
    """Carries a run out, and is told of each decision. This one shares the run with nobody."""

    def check(self) -> None:
        """Before a round is closed: nobody else has gone on with the run.

        Raises:
            EnvironmentFailure: another process has.
        """

    def keep(self) -> None:
        """Have others find what is decided now.

        Raises:
            EnvironmentFailure: another process has gone on with the run.
            StoreError: the store that they share does not answer.
        """


class Run:
    """A run of one config in one working folder.

    Attributes:
        name: file and hash; also the name of the report's folder.
        key: digest of what changes results, the data included.
        seconds: stage -> seconds spent on it (when it was made, where it was cached).
        cached: stages that were taken from the store.
        notes: what the report should mention.
        budget: what this command may spend.
        used: (stage, key) -> label of every artifact that it has rested on so far.
        made: (arm, round, stage) -> digest of what the stage gave.
        driver: whoever carries it out.
        workers: do heavy stages; whoever carries a run out closes them.
        writes: whether the run's folder is written; not by whoever only looks.
        counts: whether it is counted as a run that chooses among its rounds by rows of dev.
    """

    writes = counts = True

    def __init__(
        self,
        config: Config,
        watcher: Watcher,
        *,
        root: Path | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        name: str | None = None,
        anew: bool = False,
    ) -> None:
        """Find the run's place.

        Args:
            name: of the run; None: the latest one that this config began, or its first.
            anew: another run than any that this config began.
        """
        self.config = config
        self.watcher = watcher
        self.cancelled = cancelled
        self.root = root or Path.cwd()
        self.machine = self.root / MACHINE_FOLDER
        key = digest({**config.key(), "files": all_inputs(config)})
        first = places.first_name(config.path, key)
        self.name = name or places.latest_name(self.machine / "runs", first, anew=anew)
        attempt = places.attempt_of(self.name)
        # Another run of the same config has a summary of its own, which is found by this.
        self.key = key if attempt is None else digest([key, attempt])
        parts = self.name.split("/")
        self.folder = inside(self.machine, "runs", *parts)
        self.reports = inside(self.root, REPORTS_FOLDER, *parts)
        self.artifacts = Artifacts(self.machine / "artifacts", read_only=not self.writes)
        self.ledger = Ledger(self.machine / LEDGER)
        # Looked up at each call: a display takes the place of the first watcher.
        self.calls = PluginCalls(self.folder / CALLING, lambda text: self.watcher.say(text))
        self.workers = self._workers()
        self.log = logging.getLogger("harness.run")
        # Whoever only looks at a run is not bound by what it may spend.
        self.budget = Budget(config.settings.execution.budget.hours if self.writes else None)
        self.seconds: dict[str, float] = {}
        self.cached: list[str] = []
        self._counted: set[str] = set()
        self.notes: list[str] = []
        self.used: dict[tuple[str, str], str] = {}
        self.made: dict[tuple[str, int, str], str] = {}
        self.driver = Driver()
        self._journal: Journal | None = None
        self._environments: dict[str, dict[str, str]] | None = None

    def _workers(self) -> Workers:
        """As many as the config says, here or where its runner has them."""
        entry, execution = self.config.runner, self.config.settings.execution
        resources: dict[str, Resources] = {
            stage: needs.asked() for stage, needs in execution.resources.items()
        }
        return Workers(
            execution.workers, None if entry is None else entry.instance, resources,
            lambda folder, stopped: self.config.registry.only(
                "withdraw", folder=folder, cancelled=stopped
            ),
        )  # fmt: skip

    @functools.cached_property
    def code(self) -> list[CodeRunner]:
        """What runs code in its rounds and beside them, as its config asks for."""
        return list(running_code(self.config))

    @functools.cached_property
    def combines_code(self) -> bool:
        """Whether a branch may run code by settings that an experiment combines."""
        return any(combining(self.config))

    @functools.cached_property
    def spending(self) -> Spending:
        """What its requests to servers cost, with those of its branches."""
        return spent.spending_of(
            self.machine, self.name, self.config.settings.execution.budget.money
        )

    @property
    def work(self) -> Path:
        """Where stages work; thrown away at each start of the run, but for their scratch."""
        return inside(self.machine, "work", *self.name.split("/"))

    @property
    def base_file(self) -> Path:
        """Which base model the run began with, for whoever reads the run later."""
        return self.folder / "base.json"

    @property
    def reports_lock(self) -> Path:
        """Held by whoever writes the reports: the run at its end, or a command that shows them."""
        return self.folder / "reports.lock"

    @property
    def journal(self) -> ClosedRounds:
        """The closed rounds, to be read; :meth:`close` and :meth:`wait` write."""
        return self._writing()

    def _writing(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self.folder / JOURNAL)
        return self._journal

    def close(self, result: RoundResult) -> RoundResult:
        """Pin a round; one that is closed already stays as it was closed."""
        self.driver.check()
        closed = self._writing().close(result)
        self.driver.keep()
        return closed

    def tested(self, pinned: Tested) -> None:
        """Pin what the evaluations on the test set rest on."""
        self._writing().test(pinned)
        self.driver.keep()

    def wait(self, at: At, generated: str) -> None:
        """Say which answers an open round has that raters are asked about."""
        self._writing().wait(at.arm, at.round, generated)
        self.driver.keep()

    def reopen(self, first: int) -> None:
        """Have this round and all later ones decided again."""
        journal.reopen(self.folder / JOURNAL, first)
        self._journal = None

    def mismatch(self, stage: str, at: At) -> HarnessError:
        """The error for a closed round whose ``stage`` gives something else by now."""
        where = f"run {self.name}, {at.in_round(stage)}"
        return pins.mismatch(where, at.round, self.ways_out(at.round))

    def ways_out(self, round_: int) -> list[str]:
        """What a user may do whose round does not stand any more, one command each."""
        latest = places.latest_name(self.machine / "runs", places.first_of(self.name))
        command = resume_command.way_on(self.folder, self.config)
        return pins.ways_out(round_, command, latest=latest == self.name)

    def prepare(self) -> None:
        """Make the folders and throw away what a killed attempt left half done."""
        check_addresses()
        check_name(self.reports)
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        if sentence := self.calls.left_by_a_dead_process():
            self.watcher.say(f"note: {sentence}")
        shown = self.config.shown()
        write_bytes(self.folder / CONFIG, yaml_file.dump(shown).encode())
        beginning.note(self.folder, self.config)
        with storing(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
            for folder in self.work.iterdir():
                scratch.keep_alone(folder)
        if self.config.settings.execution.launcher == "local":
            # While the data is made ready, a worker loads what makers and answerers need.
            ahead, config = self.fresh_folder("ahead"), self.config
            entries = [*config.trainers, config.generate]
            write_question(entries, self.plugin_files, ahead)
            self.workers.load(ahead)
        self.observe("on_run_start", config=self.config.published())

    def versions(self, entry: PluginEntry) -> Versions:
        """The libraries whose versions are part of the keys of the entry's stages."""
        return versions_in(self.config, entry)

    def key_of(self, entry: PluginEntry) -> dict[str, Any]:
        """What of an entry is part of its stages' keys."""
        with plainly(entry.named):
            return entry_key(entry, self.versions(entry))

    def environment(self, entry: PluginEntry) -> Mapping[str, str]:
        """What a trainer or the generator says of this machine; all are asked at once."""
        if self._environments is None:
            asked = [*self.config.trainers, self.config.generate]
            self._environments = self._ask_environments(asked)
            self._keep_made_with()
        return self._environments[entry.part]

    def _ask_environments(self, entries: Sequence[PluginEntry]) -> dict[str, dict[str, str]]:
        """Part of each entry -> what its plugin says of the machine where its work is done."""
        by_part: dict[str, dict[str, str]] = {entry.part: {} for entry in entries}
        asked = [e for e in entries if type(e.instance).environment is not Plugin.environment]
        if self.config.settings.execution.launcher == "inline":
            for entry in asked:
                with self.guard("environment", entry):
                    by_part[entry.part] = as_environment(entry.instance.environment())
        elif asked:
            folder = self.fresh_folder("environment")
            write_question(asked, self.plugin_files, folder)
            with self.guard("environment", asked[0]):
                done = self.workers.do(folder, silent, self.cancelled, label="environment")
                by_part |= done["answer"]
            remove(folder)
        return by_part

    def made_with(self, entry: PluginEntry) -> dict[str, Any]:
        """Libraries and machine that the entry's results are made with, as a stage keeps it."""
        return {
            "libraries": dict(self.versions(entry)),
            "environment": dict(self.environment(entry)),
        }

    def _keep_made_with(self) -> None:
        libraries: dict[str, str] = {}
        for entry in self.config.makers():
            libraries |= self.versions(entry)
        provenance.write(self.folder, MadeWith(libraries, self._environments or {}))

    @property
    def plugin_files(self) -> tuple[str, ...]:
        """The one-file plugins of its config."""
        return tuple(str(self.config_folder / p) for p in self.config.settings.plugins)

    def observe(self, hook: str, **arguments: Any) -> None:
        """Tell the observers; one that fails costs a note."""
        registry = self.config.registry
        for sentence in registry.observe(self.log, hook, run=self.name, **arguments):
            self.watcher.say(f"note: {sentence}")

    def stage(
        self,
        stage: str,
        entry: PluginEntry | None,
        inputs: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, Any]],
        at: At,
        *,
        seed: int = 0,
        pinned: str | None = None,
        lent: Sequence[Sequence[Any]] = (),
    ) -> Artifact:
        """The artifact of a stage: from the store, or made now and published.

        Args:
            stage: its name, that of the split included.
            inputs: JSON values (digests of contents above all) that the result depends on.
            pinned: digest of what it gave a round that is closed by now: that stands, whatever
                the key is by now; it is made again only if it is not stored any more.
            lent: lists of records that ``make`` hands to the entry's plugin.
            make: does the work in an empty folder, leaves its files in ``output/`` below it
                and returns the facts to keep.

        Raises:
            HarnessError: as ``make`` raised it, with the place filled in; or what was made again
                is not what was pinned.
        """
        parts: dict[str, Any] = {"stage": stage, "core": CORE_REVISION, "seed": seed}
        parts["inputs"] = dict(inputs)
        if entry is not None:
            parts["entry"] = self.key_of(entry)
        key, label = digest(parts), at.label(stage)
        with self.workers.alone((stage, key)):
            # What a branch made ahead for this call is made now, and not taken from the store.
            ahead = self.workers.asked_for((stage, key))
            artifact = self._stored(stage, key, pinned)
            self._say_damage()
            cached = artifact is not None and not ahead
            # Before it is made: what a kill leaves behind in the store is this run's already.
            place = artifact.path if artifact else self.artifacts.folder(stage, key)
            self._note_use(uses.Use(stage, place.name, at.arm, at.round))
            if artifact is None:

                def guarded(folder: Path) -> Mapping[str, Any]:
                    with self.guard(stage, entry, at, lent=Lent(*lent)):
                        return facts_of(make(folder))

                artifact = self._make(stage, key, label, guarded)
            elif cached:
                self.cached.append(label)
        if pinned is not None and artifact.digest != pinned:
            raise self.mismatch(stage, at)
        self.made[at.arm, at.round, stage] = artifact.digest
        self.used[stage, artifact.key] = label
        if key not in self._counted:
            # Arms share stages whose inputs are equal; such a one was done once.
            self._counted.add(key)
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + artifact.seconds, 3)
        seconds = artifact.seconds
        self.budget.expect(stage, seconds)
        self.watcher.stage_done(stage, label, seconds, cached)
        self.observe(
            "on_stage_end", stage=stage, round=at.round, arm=at.arm, seconds=seconds, cached=cached
        )
        return artifact

    def _note_use(self, use: uses.Use) -> None:
        if self.writes and use not in self._uses:
            uses.note(self.folder, use)
            self._uses.add(use)

    @functools.cached_property
    def _uses(self) -> set[uses.Use]:
        return set(uses.uses_of(self.folder) or ())

    def _stored(self, stage: str, key: str, pinned: str | None) -> Artifact | None:
        """What the store has of a stage: by its pin, where that is not what its key finds."""
        artifact = self.artifacts.find(stage, key)
        if pinned is not None and (artifact is None or artifact.digest != pinned):
            return self.artifacts.with_digest(stage, pinned) or artifact
        if pinned is None and artifact is not None and artifact.facts.get("failed"):
            # A plugin failed in it: whatever was the reason may be mended by now.
            return None
        if pinned is None and artifact is not None and artifact.emptied and self.writes:
            # An open round has yet to be answered by these weights.
            return artifact if self.artifacts.complete(artifact.path) else None
        return artifact

    def _make(
        self, stage: str, key: str, label: str, make: Callable[[Path], Mapping[str, Any]]
    ) -> Artifact:
        if self.cancelled():
            raise Cancelled
        self.workers.check()
        self.budget.check(stage, label)
        folder = self.fresh_folder(_folder(stage, key))
        # With several workers another branch may come back to them.
        alone = self.workers.count == 1 and not scratch.saved(folder)
        if alone and any(map(scratch.saved, scratch.others(folder, stage))):
            self.watcher.say(
                f"note: {label}: begins anew; what an interrupted attempt has saved was made with "
                "other settings, rows, libraries, device or number of processes, and stays until "
                "this one has ended"
            )
        begin = time.monotonic() - scratch.begun(folder)
        facts = make(folder)
        seconds = time.monotonic() - begin
        artifact = self.artifacts.publish(stage, key, folder / "output", facts, seconds)
        for other in scratch.others(folder, stage, {_folder(*k) for k in self.workers.making}):
            remove(other)
        remove(folder)
        return artifact

    def fresh_folder(self, name: str) -> Path:
        """A folder with an empty ``output`` in it, for one attempt at one stage.

        Besides that it holds the scratch of earlier attempts at most.
        """
        folder = inside(self.work, name)
        with storing(folder):
            scratch.keep_alone(folder)
            (folder / "output").mkdir(parents=True, exist_ok=True)
        return folder

    def context(self, folder: Path, stage: str, at: At, seed: int) -> Context:
        """For a stage that runs in this process."""
        report = self.calls.hearing(self.watcher.stage(at.label(stage)))
        context = Context(folder / "output", seed, stage, at.round, at.arm, run=self.name)
        context.report, context.cancelled = report, self.cancelled
        context.scratch, context.say = scratch.of(folder), self.calls.saying(at.label(stage))
        context.checkpoint_minutes = self.config.settings.execution.checkpoint_minutes
        return context

    def job(
        self,
        folder: Path,
        stage: str,
        entry: PluginEntry,
        at: At,
        *,
        checkpoint: Checkpoint | None,
        rows: Mapping[str, Sequence[Example]],
        seed: int,
        **asked: Any,
    ) -> Any:
        """A heavy stage as a job in ``folder``; ``asked`` (``probe``) is of the job's context."""
        if checkpoint is not None and checkpoint.path:
            self.artifacts.complete(Path(checkpoint.path))
        report = self.calls.hearing(self.watcher.stage(at.label(stage)))
        job = Job(
            stage=entry.stage,
            plugin=entry.plugin,
            options=entry.instance.options.model_dump(mode="json"),
            plugins=self.plugin_files,
            checkpoint=checkpoint,
            rows=tuple(rows),
            seed=seed,
            round=at.round,
            arm=at.arm,
            run=self.name,
            checkpoint_minutes=self.config.settings.execution.checkpoint_minutes,
            spending=account_of(current()),
            **asked,
        )
        write(job, rows, folder)
        said = self.calls.saying(at.label(stage))
        if self.config.settings.execution.launcher == "inline":
            return run_inline(folder, entry.instance, report, self.cancelled, said)
        needs = TRAIN if entry.stage == "trainer" else GENERATE
        return self.workers.do(
            folder, report, self.cancelled, said, stage=needs, label=at.label(stage)
        )

    @property
    def config_folder(self) -> Path:
        return self.config.path.resolve().parent if self.config.path else self.root

    def guard(
        self,
        stage: str,
        entry: PluginEntry | None,
        at: At = ROUND_0,
        *,
        lent: Lent | None = None,
    ) -> PluginCall:
        """Around a call into that plugin; None where the stage calls several, each guarded.

        Args:
            lent: records that the plugin is given, and must not change.
        """
        who = f"{entry.named}, " if entry else ""
        inline = self.config.settings.execution.launcher == "inline"
        here = entry is not None and (inline or entry.stage not in _JOBS)
        where = f"{who}{at.label(stage)}"
        return self.calls.into(where, here=here, watched=entry is not None, lent=lent)

    def _say_damage(self) -> None:
        while self.artifacts.damaged:
            self.watcher.say(f"warning: {self.artifacts.damaged.pop(0)}")


def _folder(stage: str, key: str) -> str:
    """Name of the folder in which a stage is made."""
    return f"{stage}-{key[:12]}"
