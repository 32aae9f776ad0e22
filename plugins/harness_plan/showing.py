"""A forecast for a terminal: one table, then sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console

import harness
from harness.kit.blocks import Table, table
from harness.kit.numbers import DASH, amount, counted, duration, gigabytes
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.text import one_line
from harness_plan.listing import AGAIN
from harness_plan.records import Asked, Forecast, PlannedArm, PlannedWork

COLOURS = {"problem": "red", "warning": "yellow", "note": ""}
ARMS = {"random": "random rows", AGAIN: "base model again"}
"""How arms are told; a baseline by its name."""
UP_TO = "≤ "
ABOUT = "~ "


def show(forecast: Forecast, console: Console) -> None:
    """The whole of it."""
    model = one_line(forecast.model, 80)
    rounds = counted(forecast.rounds, "round")
    tables.note(console, f"run {forecast.run}: {rounds} of training {model}", "bold")
    console.print()
    draw_rows(_table(forecast), console)
    console.print()
    if forecast.requests:
        draw_rows(_requests(forecast.requests), console)
        console.print()
    for sentence in _sentences(forecast):
        tables.note(console, sentence)
    for remark in forecast.remarks:
        tables.note(console, f"{remark.level}: {remark.text}", COLOURS[remark.level])


def _table(forecast: Forecast) -> Table:
    titles = ("rows", "tokens", "learned", "steps", "time")
    rows = []
    for work in forecast.stages:
        bound, about = ("", "") if work.exact else (UP_TO, ABOUT)
        rows.append((
            _label(work),
            _count(work.rows, bound),
            _count(work.tokens, about),
            _count(work.learned, about) if work.stage == "train" else "",
            _count(work.steps, bound),
            "stored" if work.stored else _time(work.seconds, bound),
        ))  # fmt: skip
    for arm in forecast.beside:
        bound = "" if arm.exact else UP_TO
        counts = (_count(arm.rows, bound), "", "", _count(arm.steps, bound))
        times = _time(arm.seconds, bound)
        rows.append((_beside(arm), *(counts if arm.trainings else ("",) * 4), times))
    return table(("", *titles), rows, right=titles, caption="what the run will do")


def _requests(planned: Sequence[Asked]) -> Table:
    titles = ("requests", "prompts", "answers", "money")
    rows = []
    for what, each in planned:
        bound = UP_TO if each.sure else ABOUT
        money = DASH if each.money is None else f"{bound}{amount(each.money)}"
        counts = (_count(count, bound) for count in (each.prompt, each.answer))
        name = f"{one_line(what, 40)}: {one_line(each.model, 24)}"
        rows.append((name, _count(each.count, "" if each.sure else ABOUT), *counts, money))
    caption = "what servers are asked, in tokens; a byte of a prompt counts as one"
    return table(("", *titles), rows, right=titles, caption=caption)


def _beside(arm: PlannedArm) -> str:
    """``the same again: 4 trainings``; of a search at most so many."""
    name = one_line(arm.name, 60)
    if arm.loops:
        return f"{name}: {counted(arm.loops, 'loop')}"
    if not arm.trainings:
        return f"{name}: generate dev"
    bound = UP_TO if arm.at_most else ""
    return f"{name}: {bound}{counted(arm.trainings, 'training')}"


def _label(work: PlannedWork) -> str:
    place = "best round" if work.round is None else f"round {work.round}"
    arm = "" if work.arm == harness.BASE_ARM else f" ({ARMS.get(work.arm, work.arm)})"
    stage = "generate dev" if work.stage == "generate" else work.stage
    return f"{place}: {stage}{arm}"


def _count(number: int | None, bound: str) -> str:
    return DASH if number is None else f"{bound}{number:,}"


def _time(seconds: float | None, bound: str) -> str:
    return DASH if seconds is None else f"{bound}{duration(seconds)}"


def _sentences(forecast: Forecast) -> Iterator[str]:
    train = [work for work in forecast.stages if work.stage == "train"]
    if any(not work.exact for work in train):
        yield (
            f"{UP_TO.strip()}: how many rows are added after a round is known then, at most so "
            "many; their tokens are those of the mean row of the pool."
        )
    passes = {work.passes for work in train if work.passes and work.passes != 1}
    if len(passes) == 1:
        yield f"Tokens are those of the rows; a training goes through them {passes.pop():g} times."
    if forecast.beside:
        yield (
            "Beside the rounds, rows and steps are those of one training, and time is that of all "
            "of them with their answers to dev."
        )
    if any(arm.at_most for arm in forecast.beside):
        yield "Each trial is counted whole, with the settings that go through the rows most often."
    yield from _cost(forecast)
    yield forecast.dev.sentence


def _cost(forecast: Forecast) -> Iterator[str]:
    unstored: Sequence[PlannedWork] = [work for work in forecast.stages if not work.stored]
    timed = [arm for arm in forecast.beside if not arm.unknown]
    if not (unstored or timed):
        return
    if forecast.seconds is None:
        yield "How long it takes is not known here: nothing of it was measured yet."
    else:
        exact = all(work.exact for work in unstored) and all(arm.exact for arm in timed)
        after = sum(arm.seconds or 0.0 for arm in timed)
        part = f", {duration(after)} of it beside the rounds" if unstored and timed else ""
        time = f"{'' if exact else 'up to '}{duration(forecast.seconds)} ({forecast.since}){part}"
        without = sum(arm.trainings for arm in forecast.beside if arm.unknown)
        more = f" {counted(without, 'training')} of unknown time," if without else ""
        yield f"Training and answers take {time};{more} scoring and reports come on top."
    needs = forecast.needs
    parts = []
    if needs.memory is not None:
        free = gigabytes(needs.memory_free)
        parts.append(f"memory {gigabytes(needs.memory)} ({free} free)")
    if needs.disk is not None:
        free = gigabytes(needs.disk_free)
        parts.append(f"disk {gigabytes(needs.disk)} for tuned models ({free} free)")
    if parts:
        yield f"It needs {' and '.join(parts)}."
