"""What ``harness iterate`` says first: the exact part of a forecast, and what is known of time.

Nothing is measured for it, and nothing is walked through: it costs no time that the run would not
take anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engine.history import History
from harness.engine.run import Run
from harness.engine.steps import Steps
from harness.forecast import needs, rates as measured
from harness.forecast.costs import Costs
from harness.forecast.listing import DEV, TRAIN, Item, listed
from harness.forecast.looking import Place
from harness.forecast.records import measured_by
from harness.kit.numbers import duration
from harness.records import BASE_ARM, CONTROL_ARM


def brief(run: Run, steps: Steps) -> Iterator[str]:
    """One sentence, and warnings where memory, disk or budget is not enough.

    The run's budget learns how long its first stages are expected to take.
    """
    data, base = steps.data(), steps.base()
    items = listed(run.config, History(data=data), _closed(run))
    found = measured.kept(run, base)
    costs = Costs(items, data, found)
    left = [item for item in items if item.took is None]
    if not left:
        return
    seconds = costs.seconds(items)
    for item in reversed(left):
        if (expected := costs.of(item)) is not None:
            run.budget.expect(item.stage, expected)
    yield f"plan: {', '.join(_parts(left, run.config.settings.rounds))}. {_time(costs, seconds)}"
    trainings = sum(item.stage == TRAIN for item in left)
    room = needs.needs(run.machine, found, trainings)
    for remark in needs.remarks(room, seconds, run.config.settings.execution.budget.hours):
        yield f"warning: {remark.text}"


def _closed(run: Run) -> dict[Place, float]:
    """The trainings and answers of closed rounds, with the seconds that they took."""
    found: dict[Place, float] = {}
    for arm in (BASE_ARM, CONTROL_ARM):
        for result in run.journal.rounds(arm):
            for stage in (TRAIN, DEV):
                pin = result.keys.get(stage)
                made = run.artifacts.with_digest(stage, pin) if pin else None
                if made is not None:
                    found[arm, result.round, stage] = made.seconds
    return found


def _parts(left: Sequence[Item], rounds: int) -> Iterator[str]:
    trained = [item for item in left if item.stage == TRAIN and item.arm == BASE_ARM]
    done = rounds - len(trained)
    of = f"{len(trained)} of {rounds} rounds" if done else f"{rounds} rounds"
    yield f"{of} of training" if rounds > 1 else "1 round of training"
    if trained:
        yield f"first on {_size(trained[0])}" if len(trained) > 1 else f"on {_size(trained[0])}"
    if len(trained) > 1:
        yield f"last on {_size(trained[-1])}"
    if any(item.arm == CONTROL_ARM for item in left):
        yield "and as often on rows drawn at random"
    dev = next((len(item.rows) for item in left if item.stage == DEV), 0)
    if dev:
        yield f"{dev:,} answers to dev after each"


def _size(item: Item) -> str:
    bound = "up to " if item.more else ""
    steps = f" ({item.schedule.steps:,} steps)" if item.schedule else ""
    return f"{bound}{item.count:,} rows{steps}"


def _time(costs: Costs, seconds: float | None) -> str:
    if seconds is None:
        return "How long it takes is not known yet; harness plan measures it."
    since = measured_by(costs.measured)
    return f"Training and answers take about {duration(seconds)}, {since}."
