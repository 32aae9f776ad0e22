"""The forecast of a config: the exact part, and what was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import harness
from harness.kit.numbers import counted, percent
from harness.stats.decision import POWER, usable
from harness_plan import needs, rates as rate_files
from harness_plan.asking import requests
from harness_plan.beside import beside, without_time
from harness_plan.listing import DEV, TRAIN, Item, listed
from harness_plan.measuring import measured
from harness_plan.rates import Rates, Times
from harness_plan.records import Forecast, PlannedArm, PlannedWork, Power, Remark
from harness_plan.tokens import Counting

HOURS = "execution.budget.hours"


def plan_run(
    path: Path | None,
    sets: Sequence[str],
    rounds: int | None,
    *,
    probe: bool,
    watcher: harness.Watcher,
    cancelled: Callable[[], bool],
) -> Forecast:
    """What the run of a config will do, take and need; see :func:`harness.open_plan`.

    Args:
        probe: where this folder has no measurement of the same model, options and machine, make
            one by a short training and some answers, which also fetches the base model.
    """
    with harness.open_plan(
        path, sets, rounds=rounds, fetch=probe, watcher=watcher, cancelled=cancelled
    ) as run:
        items = listed(run)
        if run.base is None:
            unfetched = Remark(
                "note",
                "the base model is not on this machine yet, so tokens, seconds and memory are not "
                "known: harness plan without --no-probe fetches it",
            )
            return forecast(run, items, None, remarks=[unfetched])
        counting = Counting(run)
        tokens = [counting.of(item) for item in items]
        remarks: list[Remark] = []
        refused = counting.problems
        train = [row for row in run.rows("train") if row.id not in refused]
        rates = rate_files.read(run, train)
        elsewhere = rate_files.launcher(run) not in ("local", "inline")
        if elsewhere and rates is None:
            text = "jobs run elsewhere, so that nothing is measured before the first ones"
            remarks.append(Remark("note", text))
        elif probe and rates is None and train and any(item.took is None for item in items):
            try:
                rates = rate_files.write(run, measured(run, watcher, cancelled, refused))
            except harness.EnvironmentFailure as error:
                remarks.append(Remark("problem", f"the probe failed: {error.placed}"))
        remarks += counting.remarks()
        if run.waiting:
            remarks.append(Remark("note", f"the run waits: {run.waiting}"))
        plan = forecast(run, items, rates, tokens, remarks)
        return dataclasses.replace(plan, refused=bool(counting.refused))


def forecast(
    run: harness.PlannedRun,
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
    variants, times = run.variants, Times(items, rates)
    tokens = tokens or [(None, None)] * len(items)
    work = [
        PlannedWork(
            item.arm, item.round, item.stage, item.count, not item.more,
            steps=item.schedule.steps if item.schedule else None,
            passes=item.schedule.passes if item.schedule and item.stage == TRAIN else None,
            tokens=given, learned=learned, stored=item.took is not None,
            seconds=times.of(item) if item.took is None else None,
        )
        for item, (given, learned) in zip(items, tokens, strict=True)
    ]  # fmt: skip
    planned, wrong = beside(run, times)
    seconds_left = [item.seconds for item in work if not item.stored]
    timed = [arm for arm in planned if not arm.unknown]
    seconds = times.with_start(seconds_left + [arm.seconds for arm in timed])
    trainings = sum(item.stage == TRAIN and not item.stored for item in work)
    room = needs.needs(run.machine, rates, trainings + sum(arm.trainings for arm in timed))
    budget, model = variants.own([HOURS]).get(HOURS), variants.entry("model")
    return Forecast(
        run=run.name,
        model=run.base.name if run.base else model.plugin if model else "",
        rounds=run.rounds,
        rows={name: len(rows) for name in harness.SPLITS if (rows := run.rows(name))},
        stages=tuple(work),
        beside=tuple(planned),
        requests=tuple(requests(run, items)),
        seconds=seconds,
        measured=times.source if seconds is not None else None,
        needs=room,
        dev=_dev_shows(run),
        remarks=(
            *remarks,
            *needs.remarks(room, seconds, budget),
            *_stored(work, planned),
            *(Remark("note", line) for line in run.remarks),
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


def _dev_shows(run: harness.PlannedRun) -> Power:
    """The minimum detectable effect, and a sentence.

    Once the base model has answered dev, it is the one that its round was closed with; before,
    assumptions stand in, and there is no number.
    """
    baseline = run.results.get((harness.BASE_ARM, 0))
    if baseline is not None:
        return Power(baseline.verdict.detectable, baseline.verdict.words)
    from harness.stats.assumed import assumed_effect

    # A row without a group is one of its own.
    groups = [row.group or f"\0{row.id}" for row in run.rows("dev")]
    if doubt := usable(groups):
        return Power(None, f"Dev can show nothing: {doubt}.")
    rounds = run.rounds
    low, high = assumed_effect(groups, rounds, "pass or fail")
    points = sorted({round(100 * low), round(100 * high)})
    least, most = assumed_effect(groups, rounds, "in between")
    _, at_ends = assumed_effect(groups, rounds, "mostly 0 or 1")
    basis = f"{percent(POWER)} power, {counted(rounds, 'round')} planned"
    return Power(
        None,
        f"{len(groups):,} dev rows show a gain of {' to '.join(map(str, points))} points in a "
        f"pass/fail score ({basis}), and one of {100 * least:.0f} to {100 * most:.0f} % of its "
        f"range in a graded score, or to {100 * at_ends:.0f} % where most rows have its least or "
        "greatest value: the less if training changes few rows, the more if old and new scores "
        "are unrelated. The base model's answers will say it more exactly.",
    )
