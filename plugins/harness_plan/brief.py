"""What ``harness iterate`` says first: the exact part of a forecast, and what is known of time.

Nothing is measured for it, and nothing is walked through: it costs no time that the run would not
take anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import harness
from harness.kit.numbers import counted, duration
from harness_plan import asking, rates
from harness_plan.beside import amount, without_time
from harness_plan.forecasting import forecast
from harness_plan.listing import DEV, TEST, TRAIN, listed
from harness_plan.records import Forecast, PlannedWork


def brief(run: harness.PlannedRun) -> Iterator[str]:
    """One sentence, and warnings where memory, disk or budget is not enough.

    The run's budget learns how long its first stages are expected to take.
    """
    try:
        plan = forecast(run, listed(run), rates.read(run, run.rows("train")))
    except harness.PluginError as error:  # of schedule(), which the run itself does not call
        yield f"note: what the run will do is not known: {error.placed}"
        return
    unstored = [item for item in plan.stages if not item.stored]
    if not (unstored or plan.beside or plan.requests):
        return
    for item in reversed(unstored):
        if item.seconds is not None:
            run.expect(item.stage, item.seconds)
    parts = list(_parts(unstored, plan.rounds, run.arms)) if unstored else []
    parts += [f"{amount(plan.beside)} beside the rounds"] if plan.beside else []
    sentences = [f"plan: {', '.join(parts)}."] if parts else ["plan:"]
    sentences += [_time(plan, unstored), without_time(plan.beside), asking.brief(plan.requests)]
    yield " ".join(filter(None, sentences))
    for remark in plan.remarks:
        if remark.level != "note":
            yield f"warning: {remark.text}"


def _parts(left: Sequence[PlannedWork], rounds: int, arms: Sequence[str]) -> Iterator[str]:
    main = harness.BASE_ARM
    trained = [item for item in left if item.stage == TRAIN and item.arm == main]
    drawn = [item for item in left if item.stage == TRAIN and item.arm != main]
    dev = [item for item in left if item.stage == DEV]
    if trained:
        of = f"{len(trained)} of " if len(trained) < rounds else ""
        yield f"{of}{counted(rounds, 'round')} of training"
        yield f"first on {_size(trained[0])}" if len(trained) > 1 else f"on {_size(trained[0])}"
    if len(trained) > 1:
        yield f"last on {_size(trained[-1])}"
    if drawn:
        more = "and as often" if trained else counted(len(drawn), "training")
        yield f"{more} in the control arm"
    others = sum(item.arm not in arms for item in dev)
    if len(dev) > others:
        after = " after each" if trained or drawn else ""
        yield f"{dev[0].rows:,} answers to dev{after}"
    if others:
        yield f"the base model's answers to {counted(others, 'other prompt')} of each row of dev"
    if not (dev or trained or drawn):
        yield f"{sum(item.rows for item in left if item.stage == TEST):,} answers to test"


def _size(item: PlannedWork) -> str:
    bound = "" if item.exact else "up to "
    steps = f" ({item.steps:,} steps)" if item.steps else ""
    return f"{bound}{item.rows:,} rows{steps}"


def _time(plan: Forecast, left: Sequence[PlannedWork]) -> str:
    timed = [arm for arm in plan.beside if not arm.unknown]
    if not (left or timed):
        return ""
    if plan.seconds is None:
        return "harness plan says beforehand how long that takes."
    trained = any(item.stage == TRAIN for item in left) or any(arm.trainings for arm in timed)
    what = "Training and answers" if trained else "Answers"
    after = sum(arm.seconds or 0.0 for arm in timed)
    part = f", {duration(after)} of it beside the rounds" if left and timed else ""
    return f"{what} take about {duration(plan.seconds)}{part}, {plan.since}."
