"""What is tried beside the rounds of a run: experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from harness.boundary.results import instance_of, refused
from harness.errors import HarnessError
from harness.kit.yaml_file import Place
from harness.records import Example, Score, Verdict
from harness.stages.base import Plugin

Changes = Mapping[str, Any]
"""Dotted key of the config -> the value that it has in a branch."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a config asks an experiment for.

    Attributes:
        changes: place in the config -> settings of a branch, beside the run's own.
        space: dotted key -> values that branches may combine with those of the other keys.
        trainings: at most so many.
        parts: what has to be done before a run counts as finished, each part by a text that tells
            it from all others.
    """

    changes: Sequence[tuple[Place, Changes]] = ()
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    trainings: int = 0
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedRows:
    """Rows that are left to be learned, or answered, so many times.

    Attributes:
        share: of the reference round's rows, for those that are not known yet.
    """

    times: int
    rows: Sequence[Example]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlannedBranch:
    """What is left to be done under one name, for a forecast.

    Attributes:
        settings: those that its trainings may have, each beside the run's own.
        learned: what is trained on; where the settings leave the run's own training as it is, its
            models give other answers, and nothing is trained.
        answered: what is answered.
        loops: how many whole loops there are, which learn and answer what the run's rounds do.
        at_most: whether there may be fewer.
        wrong: why it cannot be done; empty where it can.
    """

    name: str
    settings: Sequence[Changes] = ({},)
    learned: Sequence[PlannedRows] = ()
    answered: Sequence[PlannedRows] = ()
    loops: int = 0
    at_most: bool = False
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class BranchTraining:
    """One training of a branch, and its answers to dev.

    Attributes:
        seed: which of its seeds, from 0.
        rows: that it learned.
        scores: of its answers.
        seconds: of training and of answering dev, by stage.
        tokens: that the training read, with prompts; None where the trainer does not say.
        memory: most bytes that were in use; None where it is not known.
        parameters: of the model; None where it is not known.
        keys: what the answers rest on, as in :class:`harness.RoundResult`.
        failed: why there is no score; empty where there is one.
    """

    seed: int
    rows: int
    scores: Mapping[str, Score] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    tokens: int | None = None
    memory: int | None = None
    parameters: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True, slots=True)
class BranchOutcome:
    """What came of a branch, as summary.json (under ``arms``) and the database tell it.

    Attributes:
        kind: a word for what differs, as ``settings`` or ``model``.
        changes: its settings beside the run's own.
        trainings: by seed, one or more.
        share: of the reference round's rows that it learned.
        verdict: against the reference round; None where none is given.
        worth: whether a gain that would matter is shown (``yes``), excluded (``no``) or neither
            (``open``); None where none is named.
        evaluation: the :class:`harness.Evaluation` of its first training; None where it failed.
    """

    name: str
    kind: str
    changes: Changes
    trainings: Sequence[BranchTraining]
    share: float = 1.0
    verdict: Verdict | None = None
    worth: Literal["yes", "no", "open"] | None = None
    evaluation: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an experiment.

    Attributes:
        document: an object of :attr:`Experiment.document`; None where nothing was asked for.
        branches: each one that was asked for now or earlier.
        done: which of :attr:`Intent.parts` are done.
        failures: what went wrong with single branches; the others stand.
    """

    document: Any = None
    branches: Sequence[BranchOutcome] = ()
    done: frozenset[str] = frozenset()
    failures: Sequence[HarnessError] = ()


class Experiment(Plugin):
    """What is tried beside the rounds of a run, once these are closed: branches of the run.

    Every installed one takes part in every run. Its options are keys of the config itself, beside
    those of the core. A branch changes no verdict on a round, and never sees test.

    Attributes:
        document: the dataclass of what summary.json says of it beside its branches, under
            ``experiments`` and its name. Texts under ``sentences`` are its conclusions.
    """

    stage = "experiment"
    always: ClassVar[bool] = True
    document: ClassVar[type]

    def intent(self, variants: Any) -> Intent:
        """What is asked for. Quick, since it is asked of a finished run, too.

        Args:
            variants: a :class:`harness.Variants` of the run's config.

        Raises:
            ConfigError: with all that is wrong.
        """
        raise NotImplementedError

    def left(self, run: Any) -> Sequence[PlannedBranch]:
        """What is left to be done, in its order.

        Args:
            run: a :class:`harness.Branches`; its rounds may be open, and nothing can be trained.
        """
        raise NotImplementedError

    def carry_out(self, run: Any) -> Outcome:
        """Carry it out, or read again what was carried out.

        Each branch that has ended is to be written down at once (``run.log``): after a kill the
        same walk goes on from there. The branches are independent of each other and of order.

        Args:
            run: a :class:`harness.Branches`.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
        """
        raise NotImplementedError


def intended(experiment: Experiment, variants: Any) -> Intent:
    """What a config asks an experiment for."""
    return instance_of(Intent, experiment.intent(variants), "intent()")


def left_of(experiment: Experiment, branches: Any) -> list[PlannedBranch]:
    """What is left of an experiment."""
    return [instance_of(PlannedBranch, each, "left()") for each in experiment.left(branches)]


def carried_out(experiment: Experiment, branches: Any) -> Outcome:
    """What came of an experiment."""
    outcome = instance_of(Outcome, experiment.carry_out(branches), "carry_out()")
    if outcome.document is not None and not isinstance(outcome.document, experiment.document):
        raise refused("the document of carry_out() is no `document`")
    return outcome


def exercise_experiment(experiment: Experiment, branches: Any) -> Outcome:
    """All that an experiment is asked.

    Args:
        branches: a :class:`harness.Branches`.
    """
    intent = intended(experiment, branches.variants)
    left_of(experiment, branches)
    outcome = carried_out(experiment, branches)
    if missing := sorted(intent.parts - outcome.done):
        raise refused(
            f"intent() asks for '{missing[0]}', which carry_out() has not done: name the same "
            "parts in both, or say what failed"
        )
    return outcome
