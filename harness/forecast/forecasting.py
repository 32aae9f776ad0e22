"""The forecast of a config: the exact part, and what a probe or earlier stages have measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.boundary.calls import plainly
from harness.config import arms, loading, searching
from harness.config.loading import Config
from harness.context import Quiet, Watcher
from harness.engine.at import At
from harness.engine.history import History
from harness.errors import EnvironmentFailure
from harness.forecast import needs, rates as measured
from harness.forecast.beside import Beside, beside, unknown
from harness.forecast.costs import Costs
from harness.forecast.dev import dev_shows
from harness.forecast.listing import DEV, TRAIN, Item, listed
from harness.forecast.looking import PlannedRun, Unspoken, Walk, cleared, walked
from harness.forecast.probe import probed
from harness.forecast.rates import Rates
from harness.forecast.records import Forecast, PlannedArm, PlannedWork, Remark, Tokens
from harness.forecast.sizes import Counting
from harness.records import SPLITS


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
        probe: measure seconds and memory by a short training and some answers, which also fetches
            the base model; else what an earlier probe or stage has measured is taken.
        watcher: is told what is being done.

    Raises:
        HarnessError: the run could not begin: its config, its data, its model, this machine.
        Cancelled: ``cancelled`` says so.
    """
    config = loading.load(path, sets=sets, flags={"rounds": rounds}, asking=True)
    arms.checked(config)
    searching.checked(config)
    watcher = Unspoken(watcher or Quiet())
    run = PlannedRun(config, watcher, cancelled)
    try:
        if not probe and not _at_hand(config):
            return _unfetched(run)
        return _forecast(run, walked(run), watcher, probe=probe)
    finally:
        cleared(run)


def _at_hand(config: Config) -> bool:
    with plainly(f"{config.model.named}, model"):
        return bool(config.model.instance.at_hand())


def _forecast(run: PlannedRun, walk: Walk, watcher: Watcher, *, probe: bool) -> Forecast:
    items = listed(run.config, walk.history, run.stored)
    context = run.context(run.fresh_folder("tokens"), "tokens", At(), 0)
    counting = Counting(run.config, walk.base, context)
    with run.guard(TRAIN, run.config.train, At(1)):
        work = _counted(items, counting, walk.history)
        counting.train(walk.data.split("valid"))
    remarks: list[Remark] = []
    found = measured.kept(run, walk.base)
    if probe and any(item.took is None for item in items):
        try:
            found = _probed(run, walk, watcher, counting)
        except EnvironmentFailure as error:
            remarks.append(Remark("problem", f"the probe failed: {error.placed}"))
            found = None
    remarks += _of_rows(counting, walk)
    if walk.waiting:
        remarks.append(Remark("note", f"the run waits: {walk.waiting}"))
    return _made(run, walk.history, walk.base.name, items, work, found, remarks)


def _probed(run: PlannedRun, walk: Walk, watcher: Watcher, counting: Counting) -> Rates | None:
    """By rows that training takes; None where it refuses all of them."""
    refused = counting.problems
    if all(row.id in refused for row in walk.data.split("train")):
        return None
    return measured.keep(run, walk.base, probed(run, walk, watcher, refused))


def _unfetched(run: PlannedRun) -> Forecast:
    """Without the base model: rows and steps alone."""
    from harness.engine.steps import Steps

    steps = Steps(run)
    history = History(data=steps.data())
    for entry in run.config.baselines:
        history.prompts[entry.name] = steps.prompts(entry, history.data).rows
    items = listed(run.config, history, run.stored)
    told = Remark(
        "note",
        "the base model is not on this machine yet, so tokens, seconds and memory are not known: "
        "harness plan without --no-probe fetches it",
    )
    return _made(
        run, history, run.config.model.plugin, items, [_work(i) for i in items], None, [told]
    )


def _made(
    run: PlannedRun,
    history: History,
    model: str,
    items: Sequence[Item],
    work: Sequence[PlannedWork],
    found: Rates | None,
    remarks: Sequence[Remark],
) -> Forecast:
    config, data = run.config, history.data
    costs = Costs(items, data, found)
    timed = tuple(costs.timed(item, one) for item, one in zip(items, work, strict=True))
    others = beside(config, history, run.folder)
    seconds = costs.seconds(items, others)
    left = sum(item.took is None and item.stage == TRAIN for item in items)
    left += sum(one.trainings for one in others if not one.moved)
    room = needs.needs(run.machine, found, left)
    detectable, sentence = dev_shows(config, history)
    noted = [*_of_run(items, others), *(Remark("note", line) for _, line in config.remarks)]
    noted += [Remark("warning", one.wrong) for one in others if one.wrong]
    noted += [Remark("note", line)] if (line := unknown(others)) else []
    budget = config.settings.execution.budget.hours
    return Forecast(
        run=run.name,
        model=model,
        rounds=config.settings.rounds,
        rows={split: len(data.split(split)) for split in SPLITS if data.split(split)},
        work=timed,
        beside=tuple(_arm(one, costs.beside(one)) for one in others if one.work),
        seconds=seconds,
        measured=costs.measured if seconds is not None else None,
        needs=room,
        detectable=detectable,
        dev_shows=sentence,
        remarks=(*remarks, *needs.remarks(room, seconds, budget), *noted),
    )


def _counted(items: Sequence[Item], counting: Counting, history: History) -> list[PlannedWork]:
    """The items with their tokens, as far as the trainer can count."""
    mean = counting.mean(history.data.split("pool")) if any(i.more for i in items) else None
    return [_work(item, *_tokens(item, counting, mean)) for item in items]


def _tokens(
    item: Item, counting: Counting, mean: tuple[float, float] | None
) -> tuple[int | None, int | None]:
    found: Tokens | None
    found = counting.train(item.rows) if item.stage == TRAIN else counting.prompts(item.rows)
    if found is None:
        return None, None
    if not item.more:
        return found.tokens, found.learned
    each = mean or (found.tokens / len(item.rows), (found.learned or 0) / len(item.rows))
    tokens, learned = (round(item.more * one) for one in each)
    return found.tokens + tokens, (found.learned or 0) + learned


def _work(item: Item, tokens: int | None = None, learned: int | None = None) -> PlannedWork:
    planned = item.schedule
    return PlannedWork(
        item.arm, item.round, item.stage, item.count, not item.more,
        steps=planned.steps if planned else None,
        passes=planned.passes if planned and item.stage == TRAIN else None,
        tokens=tokens, learned=learned, stored=item.took is not None,
    )  # fmt: skip


def _of_rows(counting: Counting, walk: Walk) -> Iterator[Remark]:
    """What training would refuse, and what cannot be counted."""
    if counting.unable:
        yield Remark("note", f"tokens are not known: {counting.unable}")
    elif counting.unable_prompts:
        yield Remark("note", f"tokens of prompts are not known: {counting.unable_prompts}")
    trained = {row.id for name in ("train", "valid") for row in walk.data.split(name)}
    refused = {name: why for name, why in counting.problems.items() if name in trained}
    if refused:
        name, why = next(iter(refused.items()))
        count = f"{len(refused):,} of {len(trained):,} rows"
        yield Remark("warning", f"training refuses {count}, as '{name}': {why}; harness data check")


def _arm(found: Beside, seconds: float | None) -> PlannedArm:
    trained = [item for _, item in found.work if item.stage == TRAIN]
    largest = max(trained, key=lambda item: item.count, default=None)
    return PlannedArm(
        found.name, found.trainings, found.loops, largest.count if largest else 0, found.exact,
        found.at_most, steps=largest.schedule.steps if largest and largest.schedule else None,
        seconds=seconds, unknown=found.moved,
    )  # fmt: skip


def _of_run(items: Sequence[Item], others: Sequence[Beside]) -> Iterator[Remark]:
    if all(item.took is not None for item in items):
        told = "all of it is in the store: nothing is trained or answered again"
        if any(one.work for one in others):
            told = "the rounds are in the store: what is trained beside them is left"
        yield Remark("note", told)
    elif any(item.took is not None and (item.round or item.stage != DEV) for item in items):
        count = sum(item.took is not None for item in items)
        yield Remark("note", f"{count} of {len(items)} trainings and answers are in the store")
