"""What is tried beside the rounds of a run: branches of it, each of other settings, rows or seed.

A branch shares the rows, the store, the worker and the budget of its run, closes no round and never
sees test. ``harness iterate`` hands the closed run to each installed experiment.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.boundary.calls import PluginCall, plainly
from harness.boundary.lending import Lent
from harness.config import loading
from harness.config.plugin_entries import PluginEntry
from harness.config.variants import Variants
from harness.data.splits import rows_digest
from harness.errors import HarnessError, UsageError
from harness.kit.files import digest
from harness.kit.remote.spending import counting
from harness.loop import deciding_score, rounds
from harness.records import BASE_ARM, Checkpoint, Example, Measurement, to_json
from harness.records.context import Limits, Quiet, Watcher
from harness.run import dev_ledger
from harness.run.arm_run import Titled
from harness.run.at import At
from harness.run.pins import GENERATE, ROWS, TRAIN
from harness.run.row_keys import row_keys
from harness.run.run import Run
from harness.run.shared_run import driving
from harness.stages.experiment import carried_out
from harness.stages.generator import Generator
from harness.steps import Steps
from harness.steps.answer import Evaluation, answer_losses, evaluate
from harness.steps.compare import alike
from harness.steps.history import History
from harness.steps.train import train, training_log
from harness.verdicts.rule import DecidingScore

Result = TypeVar("Result")
_FACTS = ("tokens", "memory", "parameters")


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """Answers to one split with their scores, and where in the run they were given."""

    evaluation: Evaluation
    at: At


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left.

    Attributes:
        key: digest of the artifact.
        log: the trainer's lines.
        facts: ``tokens`` that it read, most bytes of ``memory``, ``parameters`` of the model, where
            the trainer says so.
    """

    checkpoint: Checkpoint
    key: str
    log: Sequence[Mapping[str, Any]]
    facts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BranchResult:
    """A branch that was trained and has answered dev.

    Attributes:
        rows: how many it learned.
        seconds: of training and answering.
        keys: what the answers rest on, as in :class:`harness.RoundResult`.
        facts: as of :class:`Trained`; empty of a whole loop.
    """

    answers: AnswerSet
    rows: int
    seconds: Mapping[str, float]
    keys: Mapping[str, str]
    facts: Mapping[str, int] = dataclasses.field(default_factory=dict)


class Branch:
    """A training beside the rounds, by settings of its own.

    Args:
        steps: of the run.
        nested: of the branch.
        at: where it branches off, under the name of the branch.
    """

    def __init__(self, steps: Steps, nested: Steps, at: At, changes: Mapping[str, Any]) -> None:
        self._steps, self._nested, self._at, self._changes = steps, nested, at, changes

    def train(
        self,
        rows: Sequence[Example],
        valid: Sequence[Example],
        *,
        pinned: str | None = None,
        whole_valid: bool = False,
        limits: Limits = (),
    ) -> Trained:
        """A model that learned these rows.

        Args:
            pinned: digest of what it left before, which stands.
            whole_valid: whether its log ends with the loss of all rows of ``valid``.
            limits: where the training may end without (:attr:`harness.Context.limits`).
        """
        nested = self._nested
        checkpoint = train(
            nested, self._base(), rows, valid, self._at, pinned=pinned, whole_valid=whole_valid,
            limits=limits,
        )  # fmt: skip
        key = nested.run.made[self._at.arm, self._at.round, TRAIN]
        return Trained(checkpoint, key, training_log(checkpoint), _facts(nested, key))

    def answer(
        self, trained: Trained, rows: Sequence[Example], *, learned: Sequence[Example],
        pinned: Mapping[str, str] | None = None,
    ) -> AnswerSet:  # fmt: skip
        """The model's answers to these rows, scored as the run scores its own."""
        evaluation = evaluate(
            self._nested, trained.checkpoint, rows, self._at, learned=learned, pinned=pinned
        )
        return AnswerSet(evaluation, self._at)

    def losses(self, trained: Trained, rows: Sequence[Example]) -> list[list[float]]:
        """What the model loses (nats) on each token of each row's first reference.

        Nothing of a row that is longer than the model's context.

        Raises:
            UsageError: the run's generator cannot say that.
        """
        entry = self._nested.config.generate
        if type(entry.instance).answer_losses is Generator.answer_losses:
            raise UsageError(
                f"the generator '{entry.plugin}' has no answer_losses(), so nobody knows how well "
                "a model predicts the answers of rows",
                hint="a generator that computes on this machine, such as transformers",
            )
        return answer_losses(self._nested, trained.checkpoint, rows, self._at)

    def carried_out(
        self, rows: Sequence[Example], pinned: Mapping[str, str] | None = None
    ) -> BranchResult:
        """Train on these rows, answer dev and measure that.

        Args:
            pinned: the keys that it had before: they stand.

        Raises:
            HarnessError: what it had is not stored any more, and is made otherwise now.
        """
        steps, nested, pinned = self._steps, self._nested, pinned or {}
        nested.check_pin(ROWS, rows_digest(rows), pinned, self._at)
        data = steps.data()
        trained = self.train(rows, data.split("valid"), pinned=pinned.get(TRAIN))
        answers = self.answer(trained, data.split("dev"), learned=rows, pinned=pinned)
        steps.made_with |= nested.made_with
        keys = {**answers.evaluation.keys, TRAIN: trained.key, ROWS: rows_digest(rows)}
        seconds = {name: nested.run.seconds.get(name, 0.0) for name in (TRAIN, GENERATE)}
        return BranchResult(answers, len(rows), seconds, keys, trained.facts)

    def part(self, name: str) -> Branch:
        """The same settings under another name, for another part of the rows."""
        at = dataclasses.replace(self._at, arm=name)
        return Branch(self._steps, self._nested, at, self._changes)

    def spent(self) -> float:
        """Seconds of all stages since this was asked last."""
        seconds = sum(self._nested.run.seconds.values())
        self._nested.run.seconds.clear()
        return seconds

    def _base(self) -> Checkpoint:
        """The run's own base model, unless the branch has another one or loads it otherwise."""
        own = self._steps.base()
        other = any(key.split(".")[0] in ("model", "train") for key in self._changes)
        return self._nested.base() if other else own


class Branches:
    """A run whose rounds are closed, for what is tried beside them.

    Attributes:
        variants: the run's config, and what it may be changed into.
        folder: of the run, where an experiment keeps its log.
        reference: the round from which branches differ: the best one, or round 1; the last one
            while rounds are open, since it has most rows.
        closed: digest of that round as it was closed; empty while rounds are open.
    """

    def __init__(self, steps: Steps, history: History) -> None:
        self._steps, self._history = steps, history
        self._same_machine = False
        self.variants = Variants(steps.config)
        self.folder: Path = steps.run.folder
        last = steps.config.settings.rounds
        over = all((BASE_ARM, number) in history.results for number in range(1, last + 1))
        self.reference = (history.kept or 1) if over else last
        result = history.results[BASE_ARM, self.reference] if over else None
        self.closed = digest(to_json(result)) if result is not None else ""

    @property
    def writes(self) -> bool:
        """Whether anything may be made and written; not where a run is only looked at."""
        return self._steps.run.writes

    @property
    def base_model(self) -> str:
        return self._history.model

    @property
    def kept(self) -> int:
        """The best round; 0 where none became it."""
        return self._history.kept

    def rows(self, split: str) -> Sequence[Example]:
        """The rows of a split but test, which is sealed."""
        if split == "test":
            raise UsageError("the test set is sealed")
        return self._history.data.split(split)

    @property
    def learned(self) -> Sequence[Example]:
        """The rows that the reference round learned; of an open one those that are known by now."""
        arms, data = self._history.arms, self._history.data
        train = arms[BASE_ARM].train if BASE_ARM in arms else {}
        latest = max((number for number in train if 0 < number <= self.reference), default=0)
        return train[latest] if latest else data.split("train")

    def round(self, number: int) -> AnswerSet:
        """A closed round's answers to dev."""
        return AnswerSet(self._history.evaluations[BASE_ARM, number], At(number))

    def own_training(self) -> BranchResult:
        """The training of the reference round, with what it cost."""
        result = self._history.results[BASE_ARM, self.reference]
        store, keys = self._steps.run.artifacts, result.keys
        made = {name: store.with_digest(name, keys[name]) for name in (TRAIN, GENERATE)}
        seconds = {name: artifact.seconds for name, artifact in made.items() if artifact}
        facts = _facts(self._steps, keys[TRAIN])
        return BranchResult(self.round(self.reference), result.train_rows, seconds, keys, facts)

    def branch(
        self, changes: Mapping[str, Any], name: str, *, where: str, split: str = "dev"
    ) -> Branch:
        """A training of other settings; nothing is trained yet.

        Args:
            changes: dotted key of the config -> value (``seed`` among them).
            name: as labels call it.
            where: the place in the config that asks for it, for errors.
            split: of the rows that it answers.

        Raises:
            ConfigError: it cannot be what the config says.
            Untrusted: it would run code for which the run's config does not ask.
        """
        nested = self._steps.within(self.variants.changed(changes, where))
        return Branch(self._steps, nested, At(self.reference, name, split), changes)

    def loop(self, seed: int, name: str, *, where: str) -> BranchResult:
        """The whole loop with another seed: the answers of its best round."""
        nested = self._steps.within(self.variants.looped(seed, where))
        history = History()
        nested.run.watcher = Titled(nested.run.watcher, name)
        for _ in rounds(nested, history, test=False):
            pass
        self._steps.made_with |= nested.made_with
        best = history.evaluations[BASE_ARM, history.kept]
        rows = len(history.arms[BASE_ARM].train[history.kept])
        answers = AnswerSet(best, At(self.reference, name))
        return BranchResult(answers, rows, dict(nested.run.seconds), best.keys)

    def side_by_side(
        self, tasks: Sequence[Callable[[], Result]], window: int | None = None
    ) -> Iterator[Result]:
        """What each task gives, in their order, while as many are carried out as there are workers.

        A task trains or answers a branch, and must not depend on what another one does. What is
        written down in an order is written by whoever asks for the results. What a task raises is
        raised in its place, and ends those that follow.

        Args:
            window: a task begins when all those have ended that are so many places, or more,
                before it, and may depend on these.
        """
        return self._steps.run.workers.side_by_side(tasks, window)

    def same_machine(self) -> None:
        """Refuse a branch whose answers could not be compared with those of the reference.

        Raises:
            EnvironmentFailure: the reference was answered by other libraries or another machine.
        """
        if not self._same_machine:
            answers = self._history.evaluations[BASE_ARM, self.reference]
            self._steps.same_machine(answers, self.reference)
            self._same_machine = True

    @property
    def score(self) -> DecidingScore:
        """The run's primary score on dev."""
        return deciding_score(self._steps, self.rows("dev"))

    @property
    def min_gain(self) -> float:
        """The least gain that counts as improved, as the config says."""
        return self._steps.config.settings.min_gain

    def alike(
        self, first: AnswerSet, second: AnswerSet
    ) -> tuple[Sequence[Measurement], Sequence[Measurement]]:
        """Both sides measured alike, by the metric that decides."""
        return alike(
            self._steps,
            first.evaluation,
            second.evaluation,
            self.rows("dev"),
            first.at,
            second.at,
        )

    def count_judged(self, identities: Sequence[str]) -> int:
        """Count branches that are about to be judged together on these rows of dev.

        Args:
            identities: what tells each of them from another one, whatever it is called.

        Returns:
            how many others were judged on these rows before, in all runs of this folder.

        Raises:
            DataError: the ledger of what was judged on dev cannot be read.
        """
        run = self._steps.run
        who = f"{run.name} {self.closed[:16]}"
        return dev_ledger.count(run.machine, row_keys(self.rows("dev")), who, identities)

    def guard(self, entry: PluginEntry, stage: str, lent: Sequence[Any]) -> PluginCall:
        """Around a call of a plugin that an experiment uses, which is given these to read."""
        return self._steps.run.guard(stage, entry, At(self.reference), lent=Lent(lent))

    def say(self, sentence: str) -> None:
        """Tell whoever watches the run."""
        self._steps.run.watcher.say(sentence)


@contextlib.contextmanager
def open_branches(
    path: Path | None = None,
    sets: Sequence[str] = (),
    *,
    watcher: Watcher | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Branches]:
    """The run of a config for whoever tries something before its rounds; nobody else works on it.

    What branches are trained is kept in the run's store, and found again there.

    Args:
        path: None stands for ./harness.yaml, or the shipped config where there is none.
        sets: overrides, each ``KEY=VALUE``.
        watcher: is told what is being done.

    Raises:
        ConfigError, DataError: the run could not begin.
        EnvironmentFailure: another process works on the run.
        Cancelled: ``cancelled`` says so.
    """
    run = _Unobserved(loading.load(path, sets=sets), watcher or Quiet(), cancelled=cancelled)
    with driving(run), run.workers, counting(run.spending):
        run.prepare()
        steps = Steps(run)
        branches = Branches(steps, History(data=steps.data()))
        branches.reference = 1  # whatever the number of rounds is: what is trained is found again
        yield branches


class _Unobserved(Run):
    """Observers are not told of it: no round of it begins."""

    def observe(self, hook: str, **arguments: Any) -> None:
        return None


def carry_out(steps: Steps, history: History) -> list[HarnessError]:
    """Let each experiment do what the config asks it for; ``history.outcomes`` tells of them.

    Returns:
        what went wrong with single branches; the others stand.

    Raises:
        ConfigError: a branch cannot be what the config says.
        Cancelled: the user asked to stop, or the budget is spent.
    """
    if (BASE_ARM, history.kept or 1) not in history.evaluations:
        return []
    failures: list[HarnessError] = []
    for entry in steps.config.experiments:
        with plainly(entry.named):
            outcome = carried_out(entry.instance, Branches(steps, history))
        history.outcomes[entry.name] = outcome
        failures += outcome.failures
    return failures


def _facts(steps: Steps, key: str) -> Mapping[str, int]:
    """What the trainer has noted of its cost."""
    artifact = steps.run.artifacts.with_digest(TRAIN, key)
    facts = {} if artifact is None else artifact.facts
    return {name: facts[name] for name in _FACTS if type(facts.get(name)) is int}
