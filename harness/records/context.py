"""What a stage is given besides its inputs, and who is told of its progress."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.errors import Cancelled, PluginError
from harness.records import Checkpoint, Score

Report = Callable[[int, int, str], None]
Limits = tuple[tuple[float, float | None], ...]


def derive_seed(seed: int, stage: str, round_: int) -> int:
    """A 31-bit seed for one stage of one round.

    It depends on nothing else, above all not on the arm: arms that see the same data must
    train the same model.
    """
    digest = hashlib.sha256(f"{seed}/{stage}/{round_}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def silent(done: int, total: int, what: str) -> None:
    """A :data:`Report` that nobody reads."""
    return


_VALUE = re.compile(r"([A-Za-z_][\w./-]*) (-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")


def with_values(what: str, values: Mapping[str, float]) -> str:
    """What a stage says of its step, with numbers by name: ``steps, loss 0.83``."""
    return ", ".join([what, *(f"{name} {value:.4g}" for name, value in values.items())])


def values_in(what: str) -> Iterator[tuple[str, float]]:
    """The numbers of :func:`with_values`, of any text in this form."""
    if ", " in what:
        for part in what.split(", ")[1:]:
            if (match := _VALUE.fullmatch(part)) is not None:
                yield match[1], float(match[2])


def _never() -> bool:
    return False


def unheard(sentence: str) -> None:
    """A sentence that nobody reads."""
    return


STEPS = "steps"
"""Folder, in the output of a trainer, of the checkpoints from which the run chooses."""


@dataclass
class Context:
    """Given to every stage call.

    Attributes:
        output: an existing empty folder of this call. What the stage leaves there is
            published if the call returns, and thrown away if it raises.
        seed: all randomness of the stage comes from it.
        stage, round, arm: where in the run the call happens.
        run: the run's name, a label for people: the same work done for another run has to give
            the same.
        log: goes to the run's log file, never to standard output.
        facts: JSON values that the stage wants kept with its artifact; see :meth:`note`.
        scratch: an existing folder that outlives the call if it does not return (an exception,
            Ctrl-C, a kill): a later call for the very same work (plugin, options, inputs, seed,
            library versions) finds there what this one left, whole or cut. It is removed once
            the work is published. None outside of a run.
        checkpoint_minutes: how often a trainer or a generator that can go on from its scratch saves
            what it needs for that; 0: never.
        say: tells the person at the terminal one sentence, now, and keeps it nowhere; what a
            reader of the results has to know is a :meth:`remark`.
        probe: whether the call only measures time and memory for a forecast. What it gives is
            thrown away, and nobody outside shall be told of it (no tracker, no service).
        whole_valid: of a trainer: whether its last ``eval_loss`` has to be that of all rows of
            valid under the weights that it returns, for trainings are compared by it.
        limits: of such a trainer: (share of the training, loss of valid above which it need not go
            on; None where none is known); see :meth:`harness.Trainer.train`.
        refused: reason -> rows that an augmenter refused itself; see :meth:`refuse`.
        known: of a model's job: the base checkpoint that this run began with, if it has begun.
            Where a name can move (a branch), the same content is given again.
    """

    output: Path
    seed: int = 0
    stage: str = ""
    round: int = 0
    arm: str = "main"
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("harness"))
    facts: dict[str, Any] = field(default_factory=dict)
    report: Report = silent
    cancelled: Callable[[], bool] = _never
    known: Checkpoint | None = None
    whole_valid: bool = False
    limits: Limits = ()
    run: str = ""
    scratch: Path | None = None
    checkpoint_minutes: float = 0.0
    say: Callable[[str], None] = unheard
    probe: bool = False
    refused: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str) -> None:
        """Count a row that an augmenter made and did not propose (``verify: json``).

        Reports show how many were refused for each reason, beside those of the gate.

        Raises:
            PluginError: the reason is no short text.
        """
        if not isinstance(reason, str) or not 0 < len(reason) <= 200:
            raise PluginError(
                "context.refuse() is given something else than a reason of 1 to 200 characters",
                hint="correct the plugin",
            )
        self.refused[reason] += 1

    def leave(self, step: int) -> Path:
        """A new folder for the checkpoint after a step, so that the run can choose from it.

        See :meth:`harness.Trainer.choice`.
        """
        folder = self.output / STEPS / str(step)
        folder.mkdir(parents=True)
        return folder

    def progress(self, done: int, total: int, what: str = "", **values: float) -> None:
        """Say how far the stage is (``done`` of ``total`` steps); raises at a cancellation.

        Call it after each step: it is the place where a stage may be stopped in order.

        Args:
            values: numbers of this step, drawn as curves while the run is at work (``loss=0.83``).

        Raises:
            Cancelled: the user pressed Ctrl-C.
        """
        self.report(done, total, with_values(what, values) if values else what)
        self.check()

    def check(self) -> None:
        """Raise :class:`harness.errors.Cancelled` if the user asked to stop."""
        if self.cancelled():
            raise Cancelled()

    def note(self, **facts: Any) -> None:
        """Keep facts with the artifact, shown by reports (``note(tokens=1234)``).

        Of a trainer, comparisons show ``tokens`` (that were read in all), ``memory`` (bytes at the
        peak) and ``parameters`` (of the base model), where they are whole numbers.
        """
        self.facts.update(facts)

    def remark(self, sentence: str) -> None:
        """What a reader of the results has to know, as a whole sentence.

        A trainer's and a generator's stand among the notes of every report, each sentence once.
        They are kept with the artifact, so they are there too when it is used again.

        Raises:
            PluginError: it is no text.
        """
        if not isinstance(sentence, str):
            raise PluginError(
                f"context.remark() is given a {type(sentence).__name__}, where a sentence is due",
                hint="correct the plugin",
            )
        self.facts["remarks"] = [*self.facts.get("remarks", ()), sentence]


class Watcher(Protocol):
    """Shows what a run is doing."""

    def stage(self, label: str) -> Report:
        """A stage begins; returns where its steps are reported."""

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        """The stage that began last has ended."""

    def scored(self, label: str, scores: Mapping[str, Score]) -> None:
        """Answers to dev have these scores, by name."""

    def say(self, sentence: str) -> None:
        """Something that a person should read."""


class Quiet:
    """Shows nothing: for runs that are only looked at, and before a display is there."""

    def stage(self, label: str) -> Report:
        return silent

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        return None

    def scored(self, label: str, scores: Mapping[str, Score]) -> None:
        return None

    def say(self, sentence: str) -> None:
        return None
