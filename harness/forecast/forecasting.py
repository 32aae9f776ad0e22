"""The forecast of a config: the exact part, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.boundary.calls import plainly
from harness.config import experiments, loading
from harness.config.loading import Config
from harness.context import Quiet, Watcher
from harness.data.splits import groups_of
from harness.engine.at import At
from harness.engine.history import History
from harness.engine.run import Run
from harness.engine.steps import Steps, asking
from harness.errors import EnvironmentFailure
from harness.forecast import needs, rates as known_rates
from harness.forecast.beside import beside, without_time
from harness.forecast.listing import DEV, TRAIN, Item, listed
from harness.forecast.looking import PlannedRun, PlannedSteps, Unspoken, Walk, cleared, walked
from harness.forecast.measuring import measured
from harness.forecast.rates import Rates, Times
from harness.forecast.records import Forecast, PlannedArm, PlannedWork, Remark
from harness.forecast.tokens import Counting
from harness.kit.numbers import counted, percent
from harness.records import BASE_ARM, SPLITS
from harness.stats.decision import POWER, usable
from harness.stored import Branches


def _never() -> bool:
    return False


def plan_run(
    path: Path | None = None,
    sets: Sequence[str] = (),
    *,
    rounds: int | None = None,
    probe: bool = True,
    watcher: Watcher | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Forecast:
    """What the run of a config will do, take and need.

    Rows are read and screened, and kept in the working folder's store, where the run finds them.

    Args:
        path: None stands for ./harness.yaml, or the shipped config where there is none.
        sets: overrides, each ``KEY=VALUE``.
        rounds: of training, in place of the config's.
        probe: where this folder has no measurement of the same model, options and machine, make
            one by a short training and some answers, which also fetches the base model.
        watcher: is told what is being done.

    Raises:
        HarnessError: the run could not begin: its config, its data, its model, this machine.
        Cancelled: ``cancelled`` says so.
    """
    config = loading.load(path, sets=sets, flags={"rounds": rounds}, asking=True)
    experiments.checked(config)
    watcher = Unspoken(watcher or Quiet())
    run = PlannedRun(config, watcher, cancelled)
    try:
        if not probe and not _at_hand(config):
            return _unfetched(run)
        return _looked_at(run, walked(run), watcher, probe=probe)
    finally:
        cleared(run)


def _at_hand(config: Config) -> bool:
    with plainly(f"{config.model.named}, model"):
        return bool(config.model.instance.at_hand())


def _unfetched(run: PlannedRun) -> Forecast:
    """Without the base model: rows and steps alone."""
    steps = Steps(run)
    history = History(data=steps.data())
    for entry in run.config.baselines:
        history.prompts[entry.name] = asking.prompts(steps, entry, history.data).rows
    items = listed(run.config, history, run.stored)
    unfetched = Remark(
        "note",
        "the base model is not on this machine yet, so tokens, seconds and memory are not known: "
        "harness plan without --no-probe fetches it",
    )
    return forecast(run, history, run.config.model.plugin, items, None, remarks=[unfetched])


def _looked_at(run: PlannedRun, walk: Walk, watcher: Watcher, *, probe: bool) -> Forecast:
    items = listed(run.config, walk.history, run.stored)
    context = run.context(run.fresh_folder("tokens"), "tokens", At(), 0)
    with run.guard(TRAIN, run.config.train, At(1)):
        counting = Counting(run.config, walk.base, walk.history.data, context)
        tokens = [counting.of(item) for item in items]
    remarks: list[Remark] = []
    refused = counting.problems
    train = [row for row in walk.history.data.split("train") if row.id not in refused]
    rates = known_rates.kept(run, walk.base, train)
    if probe and rates is None and train and any(item.took is None for item in items):
        try:
            rates = known_rates.keep(run, walk.base, measured(run, walk, watcher, refused))
        except EnvironmentFailure as error:
            remarks.append(Remark("problem", f"the probe failed: {error.placed}"))
    remarks += counting.remarks()
    if walk.waiting:
        remarks.append(Remark("note", f"the run waits: {walk.waiting}"))
    return forecast(run, walk.history, walk.base.name, items, rates, tokens, remarks)


def forecast(
    run: Run,
    history: History,
    model: str,
    items: Sequence[Item],
    rates: Rates | None,
    tokens: Sequence[tuple[int | None, int | None]] = (),
    remarks: Sequence[Remark] = (),
) -> Forecast:
    """All that follows from the list of work.

    Args:
        tokens: of each item: that the model is given, and that the loss sees; empty where they
            are not counted.
        remarks: that come first.
    """
    config, times = run.config, Times(items, rates)
    work = [
        PlannedWork(
            item.arm, item.round, item.stage, item.count, not item.more,
            steps=item.schedule.steps if item.schedule else None,
            passes=item.schedule.passes if item.schedule and item.stage == TRAIN else None,
            tokens=given, learned=learned, stored=item.took is not None,
            seconds=times.of(item) if item.took is None else None,
        )
        for item, (given, learned) in zip(items, tokens or [(None, None)] * len(items), strict=True)
    ]  # fmt: skip
    planned, wrong = beside(Branches(PlannedSteps(run), history), history, times)
    left = [item.seconds for item in work if not item.stored]
    timed = [arm for arm in planned if not arm.unknown]
    seconds = times.with_start(left + [arm.seconds for arm in timed])
    trainings = sum(item.stage == TRAIN and not item.stored for item in work)
    room = needs.needs(run.machine, rates, trainings + sum(arm.trainings for arm in timed))
    detectable, sentence = _dev_shows(config, history)
    return Forecast(
        run=run.name,
        model=model,
        rounds=config.settings.rounds,
        rows={name: len(rows) for name in SPLITS if (rows := history.data.split(name))},
        work=tuple(work),
        beside=tuple(planned),
        seconds=seconds,
        measured=times.source if seconds is not None else None,
        needs=room,
        detectable=detectable,
        dev_shows=sentence,
        remarks=(
            *remarks,
            *needs.remarks(room, seconds, config.settings.execution.budget.hours),
            *_stored(work, planned),
            *(Remark("note", line) for _, line in config.remarks),
            *wrong,
            *([Remark("note", untimed)] if (untimed := without_time(planned)) else ()),
        ),
    )


def _stored(work: Sequence[PlannedWork], planned: Sequence[PlannedArm]) -> Iterator[Remark]:
    """What the store has."""
    if all(item.stored for item in work):
        text = "all of it is in the store: nothing is trained or answered again"
        if planned:
            text = "the rounds are in the store: what is trained beside them is left"
        yield Remark("note", text)
    elif any(item.stored and (item.round or item.stage != DEV) for item in work):
        count = sum(item.stored for item in work)
        yield Remark("note", f"{count} of {len(work)} trainings and answers are in the store")


def _dev_shows(config: Config, history: History) -> tuple[float | None, str]:
    """The minimum detectable effect, and a sentence.

    Once the base model has answered dev, it is the one that its round was closed with; before,
    assumptions stand in, and there is no number.
    """
    baseline = history.results.get((BASE_ARM, 0))
    if baseline is not None:
        return baseline.verdict.detectable, baseline.verdict.sentence
    from harness.stats.assumed import assumed_effect

    groups = list(groups_of(history.data.split("dev")).values())
    if doubt := usable(groups):
        return None, f"Dev can show nothing: {doubt}."
    rounds = config.settings.rounds
    low, high = assumed_effect(groups, rounds, graded=False)
    points = sorted({round(100 * low), round(100 * high)})
    least, most = assumed_effect(groups, rounds, graded=True)
    basis = f"{percent(POWER)} power, {counted(rounds, 'round')} planned"
    return None, (
        f"{len(groups):,} dev rows show a gain of {' to '.join(map(str, points))} points in a "
        f"pass/fail score ({basis}), and one of {100 * least:.0f} to {100 * most:.0f} % of its "
        "range in a graded score: the less if training changes few rows, the more if old and new "
        "scores are unrelated. The base model's answers will say it more exactly."
    )
