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
from harness.engine.steps import Steps
from harness.engine.steps.asking import arm_of
from harness.errors import PluginError
from harness.forecast import needs, rates as measured
from harness.forecast.beside import Beside, beside, told, unknown
from harness.forecast.costs import Costs
from harness.forecast.listing import DEV, TEST, TRAIN, Item, listed
from harness.forecast.looking import Place
from harness.forecast.records import measured_by
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
        history.prompts[entry.name] = steps.prompts(entry, data).rows
    try:
        items = listed(run.config, history, _closed(run))
        others = beside(run.config, history, run.folder)
    except PluginError as error:  # of schedule(), which the run itself does not call
        yield f"note: what the run will do is not known: {error.placed}"
        return
    found = measured.kept(run, base)
    costs = Costs(items, data, found)
    left = [item for item in items if item.took is None]
    if not (left or told(others)):
        return
    seconds = costs.seconds(items, others)
    for item in reversed(left):
        if (expected := costs.of(item)) is not None:
            run.budget.expect(item.stage, expected)
    parts = list(_parts(left, run.config.settings.rounds)) if left else []
    parts += [f"{more} beside the rounds"] if (more := told(others)) else []
    time = _time(costs, left, others, seconds)
    yield f"plan: {', '.join(parts)}. {time} {unknown(others)}".rstrip()
    trainings = sum(item.stage == TRAIN for item in left)
    trainings += sum(one.trainings for one in others if not one.moved)
    room = needs.needs(run.machine, found, trainings)
    for remark in needs.remarks(room, seconds, run.config.settings.execution.budget.hours):
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
        pins[arm_of(entry.name), 0, DEV] = BaselinePins(run).of(entry.name).get(GENERATE)
    for name, keys in run.journal.tested.items():
        place = (BASE_ARM, name, TEST) if isinstance(name, int) else (name, 0, TEST)
        pins[place] = keys.get(GENERATE)
    stored = {place: run.artifacts.with_digest(place[2], pin) for place, pin in pins.items() if pin}
    return {place: made.seconds for place, made in stored.items() if made is not None}


def _parts(left: Sequence[Item], rounds: int) -> Iterator[str]:
    trained = [item for item in left if item.stage == TRAIN and item.arm == BASE_ARM]
    drawn = [item for item in left if item.stage == TRAIN and item.arm == CONTROL_ARM]
    answers = {stage: [item for item in left if item.stage == stage] for stage in (DEV, TEST)}
    if trained:
        of = f"{len(trained)} of " if len(trained) < rounds else ""
        yield f"{of}{counted(rounds, 'round')} of training"
        yield f"first on {_size(trained[0])}" if len(trained) > 1 else f"on {_size(trained[0])}"
    if len(trained) > 1:
        yield f"last on {_size(trained[-1])}"
    if drawn:
        more = "and as often" if trained else counted(len(drawn), "training")
        yield f"{more} on rows drawn at random"
    others = sum(item.arm not in (BASE_ARM, CONTROL_ARM) for item in answers[DEV])
    if len(answers[DEV]) > others:
        after = " after each" if trained or drawn else ""
        yield f"{len(answers[DEV][0].rows):,} answers to dev{after}"
    if others:
        yield f"the base model's answers to {counted(others, 'other prompt')} of each row of dev"
    if not (answers[DEV] or trained or drawn):
        yield f"{sum(len(item.rows) for item in answers[TEST]):,} answers to test"


def _size(item: Item) -> str:
    bound = "up to " if item.more else ""
    steps = f" ({item.schedule.steps:,} steps)" if item.schedule else ""
    return f"{bound}{item.count:,} rows{steps}"


def _time(
    costs: Costs, left: Sequence[Item], others: Sequence[Beside], seconds: float | None
) -> str:
    known = [one for one in others if one.work and not one.moved]
    if not (left or known):
        return ""
    if seconds is None:
        return "harness plan says beforehand how long that takes."
    trained = any(item.stage == TRAIN for item in left) or any(one.trainings for one in known)
    what = "Training and answers" if trained else "Answers"
    after = sum(costs.beside(one) or 0.0 for one in known)
    part = f", {duration(after)} of it beside the rounds" if left and known else ""
    return f"{what} take about {duration(seconds)}{part}, {measured_by(costs.measured)}."
