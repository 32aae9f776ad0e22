"""Rows of the pool, answered by the models of closed rounds.

A run answers dev and test only. A row that lies in reserve is answered once somebody asks for it,
by the run's own generator, as a stage like any other: stored, and found again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.errors import DataError, UsageError, Waiting
from harness.kit.files import write_json
from harness.loop import BASELINE, rounds
from harness.opened.replay import NotStored, StoredRun, StoredSteps
from harness.records import BASE_ARM, Checkpoint, Example, Prediction, to_json
from harness.records.context import Watcher
from harness.run.at import At
from harness.run.pins import TRAIN
from harness.steps import Steps
from harness.steps.answer import generate
from harness.steps.history import History
from harness.steps.train import train

POOL = "pool"
STAGE = "generate pool"


class PoolModels:
    """The models of some rounds, ready to answer rows of the pool. Hold the run's lock.

    Attributes:
        rows: those that none of the models was trained on, as they are or made into others.
        trained: number of rows of the pool that were left out for that.

    Args:
        numbers: the rounds.
        otherwise: what can be done instead where a model is gone, for messages.

    Raises:
        UsageError: a round is not closed.
        DataError: a model is not stored any more.
    """

    def __init__(self, run: StoredRun, numbers: Sequence[int], otherwise: str = "") -> None:
        self._steps, self._otherwise = StoredSteps(run), otherwise
        self._check(numbers)
        history = self._walked(numbers)
        self._models = {number: self._model(history, number) for number in numbers}
        pool, learned = history.data.split(POOL), _learned(history, numbers)
        self.rows = tuple(row for row in pool if row.id not in learned)
        self.trained = len(pool) - len(self.rows)

    def answer(
        self, rows: Sequence[Example], watcher: Watcher
    ) -> Mapping[int, tuple[Prediction, ...]]:
        """Round -> its model's answers to the rows, made now where they are not stored."""
        self._steps.run.watcher = watcher
        return {
            number: self._answers(model, rows, number) for number, model in self._models.items()
        }

    def _check(self, numbers: Sequence[int]) -> None:
        run = self._steps.run
        closed = [result.round for result in run.journal.rounds(BASE_ARM)]
        for number in numbers:
            if number not in closed:
                known = f"closed: {', '.join(map(str, closed))}" if closed else "harness iterate"
                raise UsageError(f"round {number} of run {run.name} is not closed", hint=known)

    def _walked(self, numbers: Sequence[int]) -> History:
        """The run up to the last of these rounds: what each was trained on."""
        history = History()
        if max(numbers) == BASELINE:
            history.data = self._steps.data()
            return history
        try:
            for result in rounds(self._steps, history):
                if (result.arm, result.round) == (BASE_ARM, max(numbers)):
                    break
        except (NotStored, Waiting) as error:
            name = self._steps.run.name
            raise NotStored(
                f"the model of round {max(numbers)} is not available: {error.what}",
                where=name,
                hint=f"move reports/{name} away and run harness iterate with the run's config, "
                "which trains again what is missing"
                + (f"; {self._otherwise}" if self._otherwise else ""),
            ) from None
        return history

    def _model(self, history: History, number: int) -> Checkpoint:
        """The checkpoint that gave the round's answers; the walk has checked that it is it."""
        steps = self._steps
        if number == BASELINE:
            return steps.base()
        rows, valid = history.arms[BASE_ARM].train[number], history.data.split("valid")
        pinned = steps.pins(At(number)).get(TRAIN)
        return train(steps, steps.base(), rows, valid, At(number), pinned=pinned)

    def _answers(
        self, model: Checkpoint, rows: Sequence[Example], number: int
    ) -> tuple[Prediction, ...]:
        steps = self._steps
        try:
            return generate(steps, model, rows, At(number, split=POOL))[0]
        except NotStored:
            pass
        model = self._ready(model)
        steps.run.may_make = (*StoredRun.may_make, STAGE)
        try:
            return generate(steps, model, rows, At(number, split=POOL))[0]
        finally:
            steps.run.may_make = StoredRun.may_make

    def _ready(self, model: Checkpoint) -> Checkpoint:
        """The model with its files in place: the model plugin is asked, as at each start."""
        steps = self._steps
        before = steps.base()
        today = Steps.base(steps)
        if today.digest != before.digest:
            write_json(steps.run.base_file, to_json(before))
            raise DataError(
                "the model that the run began with is another one by now",
                where=f"model '{steps.config.model.plugin}'",
                hint=self._otherwise,
            )
        if model.base_path is None and model.digest == before.digest:
            return today
        return dataclasses.replace(model, base_path=today.path) if model.base_path else model


def _learned(history: History, numbers: Sequence[int]) -> set[str]:
    """Ids of rows that one of these rounds was trained on, as they are or made into others."""
    ids: set[str] = set()
    for number in numbers:
        if number != BASELINE:
            for row in history.arms[BASE_ARM].train[number]:
                ids |= {row.id, row.parent or row.id}
    return ids
