"""The two models, and what they answer."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import harness
from harness.kit.terminal.progress import Display
from harness.kit.terminal.streams import plugins_on_stderr

BASELINE = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """One side's answers, in the order of the prompts.

    Attributes:
        seconds: from when the generator said that it begins to answer; where it does not say so,
            loading is part of it.
    """

    predictions: Sequence[harness.Prediction]
    seconds: float


@dataclass(frozen=True, slots=True)
class Sides:
    """The base model and the model of a round, ready to answer.

    Attributes:
        best: whether the round is the best one.
        open: whether the run has not closed all its rounds.
        system_turns: the different ones with which rows of dev begin, ``()`` for none.
    """

    run: str
    round: int
    best: bool
    open: bool
    models: harness.RoundModels
    system_turns: Sequence[Sequence[harness.Message]]

    def as_in_the_run(self, row: harness.Example) -> harness.Example:
        """The prompt below the system turn that all rows of dev have, if it has none of its own."""
        if row.system_turns or len(self.system_turns) > 1:
            return row
        return dataclasses.replace(row, messages=(*self.system_turns[0], *row.messages))

    @property
    def titles(self) -> tuple[str, str]:
        return "base model", f"round {self.round}"

    def answer(
        self, rows: Sequence[Sequence[harness.Example]], display: Display,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[Answered, Answered]:  # fmt: skip
        """What both answer.

        Args:
            rows: the prompts of each side.
        """
        base, tuned = (
            self._answer(number, prompts, title, display, cancelled)
            for number, prompts, title in zip(
                (BASELINE, self.round), rows, self.titles, strict=True
            )
        )
        return base, tuned

    def _answer(
        self, number: int, rows: Sequence[harness.Example], title: str, display: Display,
        cancelled: Callable[[], bool],
    ) -> Answered:  # fmt: skip
        shown, begun = display.stage(f"{title}: generate"), time.perf_counter()

        def report(done: int, total: int, what: str) -> None:
            nonlocal begun
            if done == 0:
                begun = time.perf_counter()
            shown(done, total, what)

        with plugins_on_stderr():
            predictions = self.models.answer(number, rows, report, cancelled)
        seconds = time.perf_counter() - begun
        display.stage_done("generate", title, 0.0, False)
        return Answered(predictions, seconds)


def find(name: str | None, number: int | None, report: harness.Report) -> Sides:
    """The sides of a run: its base model, and the best round or the one that is named.

    Raises:
        UsageError: there is no such run or round, or the round is the base model itself.
        DataError: no round is closed, or files of a model are gone or are other ones by now.
        EnvironmentFailure: the base model is not where the run's config says.
    """
    run = harness.open_run(name)
    closed, best = run.closed, run.best
    wanted = best if number is None else number
    if wanted == BASELINE:
        raise _nothing_beside_it(run.name, closed, number)
    config: Any = run.config()
    going_on = max(closed) < int(config.get("rounds") or 0)
    turns = harness.system_turns_of(run.rows("dev"))
    return Sides(run.name, wanted, wanted == best, going_on, run.models([wanted], report), turns)


def _nothing_beside_it(run: str, closed: Sequence[int], asked: int | None) -> harness.UsageError:
    trained = [number for number in closed if number != BASELINE]
    if asked is not None:
        what = "--round 0 is the base model itself, which is shown beside any round"
    elif trained:
        what = f"no round of run {run} improved, so that its best model is the base model itself"
    else:
        what = f"no trained round of run {run} is closed yet"
    latest = f"--round {max(trained)} tries the latest round all the same" if trained else ""
    return harness.UsageError(what, hint=latest or "harness iterate with the run's config goes on")
