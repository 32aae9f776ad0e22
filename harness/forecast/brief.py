"""What ``harness iterate`` says first: the exact part of a forecast, and what is known of time.

Nothing is measured for it, and nothing is walked through: it costs no time that the run would not
take anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engine.baseline_pins import BaselinePins
from harness.engine.history import History
from harness.engine.pins import GENERATE
from harness.engine.run import Run
from harness.engine.steps import Steps, asking
from harness.errors import PluginError
from harness.forecast import rates
from harness.forecast.beside import amount, without_time
from harness.forecast.forecasting import forecast
from harness.forecast.listing import DEV, TEST, TRAIN, listed
from harness.forecast.looking import Place
from harness.forecast.records import Forecast, PlannedWork
from harness.kit.numbers import counted, duration
from harness.records import BASE_ARM, CONTROL_ARM, NOT_ASKED, NOTHING_KEPT, Sealed


def brief(run: Run, steps: Steps, *, test: bool = True) -> Iterator[str]:
    """One sentence, and warnings where memory, disk or budget is not enough.

    The run's budget learns how long its first stages are expected to take.

    Args:
        test: whether the run opens its test set at the end.
    """
    data, base = steps.data(), steps.base()
    history = History(data=data, sealed=_sealed(run, test=test))
    history.results = {(BASE_ARM, one.round): one for one in run.journal.rounds(BASE_ARM)}
    for entry in run.config.baselines:
        history.prompts[entry.name] = asking.prompts(steps, entry, data).rows
    try:
        items = listed(run.config, history, _closed(run))
        known = rates.kept(run, base, data.split("train"))
        plan = forecast(run, history, base.name, items, known)
    except PluginError as error:  # of schedule(), which the run itself does not call
        yield f"note: what the run will do is not known: {error.placed}"
        return
    left = [item for item in plan.work if not item.stored]
    if not (left or plan.beside):
        return
    for item in reversed(left):
        if item.seconds is not None:
            run.budget.expect(item.stage, item.seconds)
    parts = list(_parts(left, plan.rounds)) if left else []
    parts += [f"{amount(plan.beside)} beside the rounds"] if plan.beside else []
    sentences = f"plan: {', '.join(parts)}.", _time(plan, left), without_time(plan.beside)
    yield " ".join(filter(None, sentences))
    for remark in plan.remarks:
        if remark.level != "note":
            yield f"warning: {remark.text}"


def _sealed(run: Run, *, test: bool) -> Sealed | None:
    """Why the test set stays sealed, as far as it is known before the end."""
    if not test:
        return NOT_ASKED
    trained = [result for result in run.journal.rounds(BASE_ARM) if result.round]
    over = len(trained) >= run.config.settings.rounds
    return NOTHING_KEPT if over and not any(result.kept for result in trained) else None


def _closed(run: Run) -> dict[Place, float]:
    """The trainings and answers that are pinned, with the seconds that they took."""
    pins: dict[Place, str | None] = {
        (arm, result.round, stage): result.keys.get(stage)
        for arm in (BASE_ARM, CONTROL_ARM)
        for result in run.journal.rounds(arm)
        for stage in (TRAIN, DEV)
    }
    for entry in run.config.baselines:
        pins[asking.arm_of(entry.name), 0, DEV] = BaselinePins(run).of(entry.name).get(GENERATE)
    for name, keys in run.journal.tested.items():
        place = (BASE_ARM, name, TEST) if isinstance(name, int) else (name, 0, TEST)
        pins[place] = keys.get(GENERATE)
    stored = {place: run.artifacts.with_digest(place[2], pin) for place, pin in pins.items() if pin}
    return {place: made.seconds for place, made in stored.items() if made is not None}


def _parts(left: Sequence[PlannedWork], rounds: int) -> Iterator[str]:
    trained = [item for item in left if item.stage == TRAIN and item.arm == BASE_ARM]
    drawn = [item for item in left if item.stage == TRAIN and item.arm == CONTROL_ARM]
    dev = [item for item in left if item.stage == DEV]
    if trained:
        of = f"{len(trained)} of " if len(trained) < rounds else ""
        yield f"{of}{counted(rounds, 'round')} of training"
        yield f"first on {_size(trained[0])}" if len(trained) > 1 else f"on {_size(trained[0])}"
    if len(trained) > 1:
        yield f"last on {_size(trained[-1])}"
    if drawn:
        more = "and as often" if trained else counted(len(drawn), "training")
        yield f"{more} on rows drawn at random"
    others = sum(item.arm not in (BASE_ARM, CONTROL_ARM) for item in dev)
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
