"""Rows of the pool for rating: drawn first, then answered by the models of closed rounds.

A run answers dev and test only. A row that lies in reserve is answered once somebody is to rate
the answer, by the run's own generator, as a stage like any other: stored, and found again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.engine.history import History
from harness.engine.pins import TRAIN
from harness.engine.steps import At, Steps
from harness.errors import DataError, UsageError, Waiting
from harness.kit.files import write_json
from harness.loop import BASELINE, rounds
from harness.rating.answers import text
from harness.rating.order import Order
from harness.rating.sampling import GROUP, VERDICTS, Candidate, Wanted, draw
from harness.records import BASE_ARM, Checkpoint, Example, Prediction, to_json
from harness.stored import NotStored, StoredRun, StoredSteps

POOL = "pool"
STAGE = "generate pool"
FROM_DEV = "--from dev rates stored answers and needs no model"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is to be answered.

    Attributes:
        rows: in the order of the pool, so that it does not matter how they were drawn.
        models: round -> the checkpoint that answers for it.
        learned: rows that were left out, since one of these models was trained on them.
    """

    rows: tuple[Example, ...]
    models: Mapping[int, Checkpoint]
    learned: int


def drawn(steps: StoredSteps, order: Order) -> Drawn:
    """The rows and the models of an order; nothing is made. Hold the run's lock.

    Raises:
        UsageError: the strategy looks at answers, or a round is not closed.
        DataError: too few rows are left, or a model is not stored any more.
    """
    _check(steps.run, order)
    history = _walked(steps, order.rounds)
    models = {number: _model(steps, history, number) for number in order.rounds}
    pool = history.data.split(POOL)
    learned = _learned(history, order.rounds)
    left = [Candidate(row, {}) for row in pool if row.id not in learned]
    if not left:
        what = "every row of the pool was trained on" if pool else "the data have no pool"
        raise DataError(what, where=steps.run.name, hint="--from dev")
    trained = len(pool) - len(left)
    known = f"are left in the pool ({trained} were trained on)" if trained else "are in the pool"
    wanted = Wanted(order.strategy, order.n, order.seed, order.by or GROUP, known)
    chosen = {one.example.id for one in draw(left, wanted)}
    rows = tuple(row for row in pool if row.id in chosen)
    return Drawn(rows, models, trained)


def answered(steps: StoredSteps, found: Drawn) -> list[Candidate]:
    """The drawn rows with each model's answers, made now where they are not stored."""
    said = {
        number: _answers(steps, model, found.rows, number) for number, model in found.models.items()
    }
    return [
        Candidate(row, {number: text(own[place]) for number, own in said.items()})
        for place, row in enumerate(found.rows)
    ]


def _check(run: StoredRun, order: Order) -> None:
    if order.strategy not in VERDICTS:
        raise UsageError(
            f"--strategy {order.strategy} looks at answers, and nobody has answered the rows of "
            "the pool yet",
            hint=f"--strategy {' or '.join(VERDICTS)}, or --from dev",
        )
    closed = [result.round for result in run.journal.rounds(BASE_ARM)]
    for number in order.rounds:
        if number not in closed:
            known = f"closed: {', '.join(map(str, closed))}" if closed else "harness iterate"
            raise UsageError(f"round {number} of run {run.name} is not closed", hint=known)


def _walked(steps: StoredSteps, numbers: Sequence[int]) -> History:
    """The run up to the last of these rounds: what each was trained on."""
    history = History()
    if max(numbers) == BASELINE:
        history.data = steps.data()
        return history
    try:
        for result in rounds(steps, history):
            if (result.arm, result.round) == (BASE_ARM, max(numbers)):
                break
    except (NotStored, Waiting) as error:
        name = steps.run.name
        raise NotStored(
            f"the model of round {max(numbers)} cannot be had: {error.what}",
            where=name,
            hint=f"move reports/{name} away and run harness iterate with the run's config, which "
            f"trains again what is missing; {FROM_DEV}",
        ) from None
    return history


def _model(steps: StoredSteps, history: History, number: int) -> Checkpoint:
    """The checkpoint that gave the round's answers; the walk has checked that it is that one."""
    if number == BASELINE:
        return steps.base()
    rows, valid = history.arms[BASE_ARM].train[number], history.data.split("valid")
    pinned = steps.pins(At(number)).get(TRAIN)
    return steps.train(steps.base(), rows, valid, At(number), pinned=pinned)


def _learned(history: History, numbers: Sequence[int]) -> set[str]:
    """Ids of rows that one of these rounds was trained on, as they are or made into others."""
    found: set[str] = set()
    for number in numbers:
        if number != BASELINE:
            for row in history.arms[BASE_ARM].train[number]:
                found |= {row.id, row.parent or row.id}
    return found


def _answers(
    steps: StoredSteps, model: Checkpoint, rows: Sequence[Example], number: int
) -> tuple[Prediction, ...]:
    try:
        return steps.generate(model, rows, At(number, split=POOL))[0]
    except NotStored:
        pass
    model = _ready(steps, model)
    steps.run.may_make = (*StoredRun.may_make, STAGE)
    try:
        return steps.generate(model, rows, At(number, split=POOL))[0]
    finally:
        steps.run.may_make = StoredRun.may_make


def _ready(steps: StoredSteps, model: Checkpoint) -> Checkpoint:
    """The model with its files in place: the run's model plugin is asked, as at each start."""
    before = steps.base()
    today = Steps.base(steps)
    if today.digest != before.digest:
        write_json(steps.run.base_file, to_json(before))
        raise DataError(
            "the model that the run began with is another one by now",
            where=f"model '{steps.config.model.plugin}'",
            hint=FROM_DEV,
        )
    if model.base_path is None and model.digest == before.digest:
        return today
    return dataclasses.replace(model, base_path=today.path) if model.base_path else model
