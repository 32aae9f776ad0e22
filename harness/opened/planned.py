"""``harness.open_plan``: a run looked at before it begins or goes on, for whoever forecasts it.

The loop is walked through up to the first thing that would cost something. Rows are read and
screened, and stored answers are scored, as the run would do it; both are kept in the store, where
the run finds them. Nothing is trained or answered, and no round is closed.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.lending import Lent
from harness.boundary.results import sentences
from harness.config import experiments, loading
from harness.config.variants import Variants
from harness.errors import BudgetSpent, Waiting
from harness.kit.files import remove, write_bytes
from harness.kit.remote.spending import Spending, counting
from harness.kit.text import one_line
from harness.loop import rounds
from harness.opened.branches import Branches
from harness.opened.replay import NotStored, StoredRun
from harness.records import (
    BASE_ARM,
    CONTROL_ARM,
    NOT_ASKED,
    NOTHING_KEPT,
    Checkpoint,
    Example,
    Rendered,
    RoundResult,
    Sealed,
)
from harness.records.context import Context, Quiet, Report, Watcher
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.ledger import Unopened
from harness.run.pins import GENERATE, TRAIN
from harness.run.run import Run
from harness.run.stage_keys import Versions
from harness.stages import PlannedBranch
from harness.stages.experiment import left_of
from harness.stages.trainer import rendered
from harness.steps import Steps, baselines
from harness.steps.history import History

StagePlace = tuple[str, int, str]
"""Arm (or ``baseline NAME``), round, stage with its split."""
Job = Callable[[str, Mapping[str, Sequence[Example]]], Path]


class PlannedRun:
    """What a run has to do, and what of that is done.

    Attributes:
        name: of the run.
        branches: the run for what is tried beside its rounds; its ``variants`` are the config.
        base: the base model; None where it is not on this machine, and was not to be fetched.
        rounds: of training.
        growth: rows that all augmenters add in one round, at most.
        arms: names of the arms that train; they share the first training.
        asked: name of a baseline -> its name in place of an arm; without those that other models
            answer, which take no time of this machine.
        prompts: such a baseline -> the rows of dev as it asks them, where they are made.
        others: baseline that another model answers -> the same.
        stored: trainings and answers that are in the store -> seconds that they took.
        results: (arm, round) -> the closed rounds.
        tests: whether the test set is opened at the end, as far as it is known before.
        begins: seconds that the run takes before the first thing that is not stored.
        waiting: which people it waits for, in a sentence; empty where for nobody.
        remarks: what its plugins say of this machine and their options, where they were asked.
    """

    def __init__(
        self,
        steps: Steps,
        history: History,
        base: Checkpoint | None,
        stored: Mapping[StagePlace, float],
        *,
        begins: float = 0.0,
        waiting: str = "",
    ) -> None:
        config = steps.config
        grows = config.settings.plan.strategy != "none"
        self._steps, self._history = steps, history
        self.name, self.base, self.stored = steps.run.name, base, stored
        self.branches = Branches(steps, history)
        self.rounds = config.settings.rounds
        self.growth = sum(entry.rows for entry in config.augment) if grows else 0
        self.arms = [BASE_ARM, CONTROL_ARM] if config.control else [BASE_ARM]
        others = baselines.models(config)
        names = [entry.name for entry in baselines.entries(config) if entry.name not in others]
        self.asked = {name: baselines.arm_of(name) for name in names}
        self.prompts: Mapping[str, Sequence[Example]] = {
            name: history.prompts[name] for name in names if name in history.prompts
        }
        self.others: Mapping[str, Sequence[Example]] = {
            name: history.prompts.get(name, self.rows("dev")) for name in others
        }
        self.results: Mapping[tuple[str, int], RoundResult] = history.results
        self.tests = history.sealed is None
        self.begins, self.waiting = begins, waiting
        self.remarks = [line for _, line in config.remarks]
        if later := [entry.plugin for entry in config.trainers[1:]]:
            first, rest = config.train.plugin, ", ".join(later)
            self.remarks.append(f"trainings are timed with '{first}' alone: {rest} comes on top")

    def __deepcopy__(self, memo: Any) -> PlannedRun:
        """Itself: hooks are given copies of plain values, and this is a door."""
        return self

    @property
    def variants(self) -> Variants:
        """The run's config."""
        return self.branches.variants

    @property
    def machine(self) -> Path:
        """The folder of all runs, where what holds on this machine is kept."""
        return self._steps.run.machine

    def rows(self, split: str) -> Sequence[Example]:
        """The rows of a split: of test to be counted and measured, never shown."""
        return self._history.data.split(split)

    def general(self) -> Sequence[Example]:
        """The general rows of `replay` beside all rows of train and pool, before they are screened;
        a training may take fewer, or others where the gate refuses some."""
        task = len(self.rows("train")) + len(self.rows("pool"))
        return self._steps.general_rows.due(task)

    def learned(self, arm: str) -> Mapping[int, Sequence[Example]]:
        """Round -> the rows that it trains on, as far as they are known; round 1 always is."""
        train = self._history.arms[arm].train if arm in self._history.arms else {}
        return {1: self.rows("train"), **{number: rows for number, rows in train.items() if number}}

    def left_beside(self) -> list[PlannedBranch]:
        """What is left to be done beside the rounds, in order.

        Raises:
            ConfigError: a branch cannot be what the config says.
            DataError: what was tried is damaged.
            PluginError: an experiment fails.
        """
        branches: list[PlannedBranch] = []
        for entry in self._steps.config.experiments:
            with plainly(entry.named):
                branches += left_of(entry.instance, self.branches)
        return branches

    def rendered(self, rows: Sequence[Example]) -> list[Rendered]:
        """The rows as the trainer gives them to the base model.

        Raises:
            UsageError: this trainer cannot show rows.
            PluginError: it fails at it.
        """
        entry, run = self._steps.config.train, self._steps.run
        call = plainly(f"{entry.named}, rendered()", lent=Lent(rows))
        with run.guard(TRAIN, entry, At(1)), call:
            return list(rendered(entry.instance, self._model, rows, self._context))

    def pace(self) -> list[Any]:
        """JSON values by which trainings and answers take as long as others with the same ones.

        The model, options and libraries of trainers and generator, and what these say of the
        machine.
        """
        run, config = self._steps.run, self._steps.config
        makers = (*config.trainers, config.generate)
        return [
            self._model.digest,
            [run.key_of(entry) for entry in makers],
            [dict(run.environment(entry)) for entry in makers],
        ]

    @contextlib.contextmanager
    def jobs(self, watcher: Watcher, cancelled: Callable[[], bool]) -> Iterator[Job]:
        """Short jobs to be timed, done as those of the run would be, and thrown away.

        Gives a function of a stage (``train``, ``generate``) and its rows, which returns the folder
        with what that left. At the end the worker has ended, so that its memory can be asked for.

        Args:
            watcher: is told of each job, and of its progress.
            cancelled: whether the job at work is to stop.
        """
        run, config = self._steps.run, self._steps.config
        entries = {TRAIN: (config.train, At(1)), GENERATE: (config.generate, At())}

        def job(stage: str, rows: Mapping[str, Sequence[Example]]) -> Path:
            entry, at = entries[stage]
            folder, seed = run.fresh_folder(f"probe-{stage}"), self._steps.seed(stage, at.round)
            with run.guard(stage, entry, at):
                run.job(
                    folder, stage, entry, at, checkpoint=self._model, rows=rows, seed=seed,
                    probe=True,
                )  # fmt: skip
            watcher.stage_done("probe", stage, 0.0, True)
            return folder / "output"

        before = run.watcher, run.cancelled
        run.watcher, run.cancelled = watcher, cancelled
        try:
            yield job
        finally:
            run.watcher, run.cancelled = before
            run.workers.close()

    def expect(self, stage: str, seconds: float) -> None:
        """Tell the budget of the run that its next stage of that name takes so long."""
        self._steps.run.budget.expect(stage, seconds)

    @property
    def _model(self) -> Checkpoint:
        assert self.base is not None, "whoever has no base model measures and shows nothing"
        return self.base

    @functools.cached_property
    def _context(self) -> Context:
        run = self._steps.run
        return run.context(run.fresh_folder("tokens"), "tokens", At(), 0)


@contextlib.contextmanager
def open_plan(
    path: Path | None = None,
    sets: Sequence[str] = (),
    *,
    rounds: int | None = None,
    fetch: bool = True,
    watcher: Watcher | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[PlannedRun]:
    """The run that ``harness iterate`` would begin or go on with.

    Args:
        path: None stands for ./harness.yaml, or the shipped config where there is none.
        sets: overrides, each ``KEY=VALUE``.
        rounds: of training, in place of the config's.
        fetch: whether a base model that is not on this machine is fetched.
        watcher: is told what is being done.

    Raises:
        HarnessError: the run could not begin: its config, its data, its model, this machine.
        Cancelled: ``cancelled`` says so.
    """
    config = loading.load(path, sets=sets, flags={"rounds": rounds}, asking=True)
    experiments.checked(config)
    run = _UnbegunRun(config, _Unspoken(watcher or Quiet()), cancelled=cancelled)
    steps = Steps(run)
    steps.lacking = (NotStored,)  # a baseline without answers stops no walk
    try:
        with plainly(f"{config.model.named}, model"):
            at_hand = fetch or bool(config.model.instance.at_hand())
        if at_hand:
            yield _walked(run, steps)
        else:
            yield PlannedRun(steps, _with_prompts(steps), None, run.stored)
    finally:
        run.workers.close()
        remove(run.work)


def said_before(run: Run, steps: Steps, *, test: bool) -> Iterator[str]:
    """What plugins say of a run that is about to begin or go on (the hook ``before_run``).

    The run is not walked through for it, as it is about to do that itself: what is stored is told
    by what its rounds were closed with.

    Args:
        test: whether the run opens its test set at the end.
    """
    steps.data()
    base, history = steps.base(), _with_prompts(steps)
    history.results = {(BASE_ARM, each.round): each for each in run.journal.rounds(BASE_ARM)}
    history.sealed = _sealed(run, test=test)
    planned = PlannedRun(steps, history, base, _pinned(run))
    for sentences_ in run.config.registry.asked(run.log, "before_run", sentences, planned=planned):
        yield from map(one_line, sentences_)


def _walked(run: _UnbegunRun, steps: Steps) -> PlannedRun:
    history, waiting, begin = History(), "", time.monotonic()
    # Scores that are not stored are made, and nothing is asked of a server for them.
    nothing = Spending(run.spending.path, run.name, most=-1.0)
    try:
        with counting(nothing):
            for _ in rounds(steps, history):
                pass
    except BudgetSpent:
        pass
    except (NotStored, Unopened):
        if not history.data.examples:  # a closed round had other rows
            raise
    except Waiting as wait:
        waiting = wait.what
    base = steps.base()
    # What looking has made, the run finds stored.
    begins = max(0.0, time.monotonic() - begin - run.looking)
    return PlannedRun(steps, history, base, run.stored, begins=begins, waiting=waiting)


def _with_prompts(steps: Steps) -> History:
    history = History(data=steps.data())
    for entry in baselines.entries(steps.config):
        history.prompts[entry.name] = baselines.prompts(steps, entry, history.data).rows
    return history


def _sealed(run: Run, *, test: bool) -> Sealed | None:
    """Why the test set stays sealed, as far as it is known before the end."""
    if not test:
        return NOT_ASKED
    trained = [result for result in run.journal.rounds(BASE_ARM) if result.round]
    all_closed = len(trained) >= run.config.settings.rounds
    return NOTHING_KEPT if all_closed and not any(result.kept for result in trained) else None


def _pinned(run: Run) -> dict[StagePlace, float]:
    """The trainings and answers that are pinned, with the seconds that they took."""
    pins: dict[StagePlace, str | None] = {
        (arm, result.round, stage): result.keys.get(stage)
        for arm in (BASE_ARM, CONTROL_ARM)
        for result in run.journal.rounds(arm)
        for stage in (TRAIN, GENERATE)
    }
    for arm, digest in baselines.answers_pinned(run).items():
        pins[arm, 0, GENERATE] = digest
    on_test = At(split="test").on_split(GENERATE)
    for name, keys in run.journal.tested.items():
        place = (BASE_ARM, name) if isinstance(name, int) else (name, 0)
        pins[*place, on_test] = keys.get(GENERATE)
    stored = {place: run.artifacts.with_digest(place[2], pin) for place, pin in pins.items() if pin}
    return {place: artifact.seconds for place, artifact in stored.items() if artifact is not None}


class _Unspoken(Quiet):
    """Shows what is being done, and leaves out what the run itself will say."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def stage(self, label: str) -> Report:
        return self._watcher.stage(label)

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, label, seconds, True)


class _UnbegunRun(StoredRun):
    """A run that is looked at with today's libraries and machine, which make what it lacks.

    Attributes:
        stored: its stages that the store has -> seconds that each took.
        looking: seconds of those that were made while looking.
    """

    may_make = ("data", "screen", "score", "detect", "analyze", "prompts")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.stored: dict[StagePlace, float] = {}
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

    def versions(self, entry: Any) -> Versions:
        return Run.versions(self, entry)

    def environment(self, entry: Any) -> Mapping[str, str]:
        return Run.environment(self, entry)

    def _keep_made_with(self) -> None:
        return None

    def stage(
        self, stage: str, entry: Any, inputs: Any, make: Any, at: At, **named: Any
    ) -> Artifact:
        cached_before = len(self.cached)
        artifact = super().stage(stage, entry, inputs, make, at, **named)
        if len(self.cached) == cached_before:
            self.looking += artifact.seconds
        self.stored[at.arm, at.round, stage] = artifact.seconds
        return artifact
