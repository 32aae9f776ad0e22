"""A short probe: a training of some steps and some answers, as jobs like any other, and timed.

Three jobs by the same worker as those of a run: a training on the shortest row, whole (what loading
costs, how large a checkpoint is); one pass over some rows, the longest among them (what a character
costs, and the memory of the longest batch); and answers to some prompts, the longest among them.
How long each step takes is seen from outside, by the progress that it reports.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.boundary import results
from harness.config.plugin_entries import PluginEntry
from harness.context import Report, Watcher, derive_seed
from harness.engine.at import At
from harness.engine.pins import GENERATE, TRAIN
from harness.errors import Cancelled
from harness.forecast import memory
from harness.forecast.looking import PlannedRun, Walk
from harness.forecast.rates import Answering, Learning, Rates
from harness.forecast.sizes import prompt_size, size
from harness.kit.files import read_jsonl, remove
from harness.records import Example, Prediction, Schedule, from_json

BATCHES = 4
"""Steps of the training that is timed, that of the longest rows among them."""
ROWS = 8
"""Rows of a step where nobody says how many they are."""
PROMPTS = 32
"""Prompts of a batch, likewise."""
LONGEST = 45.0
"""Seconds after which a training that is timed goes no further than the step at hand."""
FORWARD = 1 / 3
"""Of the time of a training step, what reading its tokens takes: the backward pass computes twice
as much as the forward pass (Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, 2.1).
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Progress that was reported, seconds after its job began."""

    at: float
    done: int
    total: int
    what: str


class Stopwatch:
    """Shows what jobs report, keeps when they did, and stops them where that is enough."""

    def __init__(self, watcher: Watcher, cancelled: Callable[[], bool]) -> None:
        self._watcher, self._cancelled = watcher, cancelled
        self.marks: list[Mark] = []
        self.enough: Callable[[Mark], bool] = lambda mark: False
        self._begin = 0.0

    def stage(self, label: str) -> Report:
        shown = self._watcher.stage(f"probe: {label.rpartition(': ')[2]}")
        self.marks, self._begin = [], time.monotonic()

        def report(done: int, total: int, what: str) -> None:
            self.marks.append(Mark(self.since(), done, total, what))
            shown(done, total, what)

        return report

    def since(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self._begin

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, label, seconds, cached)

    def say(self, sentence: str) -> None:
        return None

    def stop(self) -> bool:
        """Whether the job shall stop: the user asks for it, or enough was seen."""
        return self._cancelled() or bool(self.marks and self.enough(self.marks[-1]))

    def work(self) -> list[Mark]:
        """The marks of the job's main work: those of its last kind."""
        if not self.marks:
            return []
        last = self.marks[-1]
        return [m for m in self.marks if (m.total, m.what) == (last.total, last.what)]


def probed(run: PlannedRun, walk: Walk, watcher: Watcher) -> Rates:
    """What training and answering cost on this machine, measured.

    The worker of the walk is at work still, so that jobs begin as those of a run do.

    Raises:
        HarnessError: a job failed as it would in the run, for want of memory above all.
        Cancelled: the user asked to stop.
    """
    before, cancelled = run.watcher, run.cancelled
    clock = Stopwatch(watcher, cancelled)
    run.watcher, run.cancelled = clock, clock.stop
    try:
        train, valid = walk.data.split("train"), walk.data.split("valid")
        first, written = _whole(run, walk, clock, min(train, key=size))
        learning = _learning(run, walk, clock, train, valid)
        answering = _answering(run, walk, clock, walk.data.split("dev"), learning)
    finally:
        run.watcher, run.cancelled = before, cancelled
        run.worker.close()
    return Rates(
        begin=walk.seconds + max(0.0, first.start - learning.start),
        train=dataclasses.replace(learning, finish=first.finish),
        generate=answering,
        memory=memory.peak(inline=run.config.settings.execution.launcher == "inline"),
        checkpoint=written,
    )


def _whole(run: PlannedRun, walk: Walk, clock: Stopwatch, row: Example) -> tuple[Learning, int]:
    """A training on one row: its start and end, and the bytes that it left."""
    clock.enough = lambda mark: False
    folder = run.fresh_folder("probe")
    _trained(run, walk, [row], [], folder)
    whole, marks = clock.since(), clock.work()
    written = sum(f.stat().st_size for f in (folder / "output").rglob("*") if f.is_file())
    remove(folder)
    start, end = (marks[0].at, marks[-1].at) if marks else (whole, whole)
    return Learning(start, 0.0, 1.0, whole - end), written


def _learning(
    run: PlannedRun,
    walk: Walk,
    clock: Stopwatch,
    train: Sequence[Example],
    valid: Sequence[Example],
) -> Learning:
    """What a character of a training row costs, all passes and validation included."""
    entry = run.config.train
    rows = chosen(train, per_step(entry, len(train), ROWS), BATCHES, size)
    held = spread(valid, min(len(rows), round(len(valid) * len(rows) / len(train))), size)
    planned = results.schedule(entry.instance.schedule(len(rows)))
    passes = planned.passes if planned else 1.0
    # Rows may be sorted by length within a pass: a part of one would not stand for the whole.
    one_pass = math.ceil(planned.steps / passes) if planned else math.inf

    def enough(mark: Mark) -> bool:
        return mark.done >= one_pass or (mark.done > 0 and mark.at > LONGEST)

    clock.enough = enough
    folder = run.fresh_folder("probe")
    try:
        _trained(run, walk, rows, held, folder)
    except Cancelled:
        if not clock.marks or not enough(clock.marks[-1]):
            raise
    whole, marks = clock.since(), clock.work()
    remove(folder)
    characters = sum(map(size, rows))
    if len(marks) < 2:
        return Learning(0.0, whole / characters, passes)
    begun, ended = marks[0], marks[-1]
    share = (ended.done - begun.done) / max(1, ended.total)
    return Learning(begun.at, (ended.at - begun.at) / max(share, 1e-9) / characters, passes)


def _answering(
    run: PlannedRun, walk: Walk, clock: Stopwatch, dev: Sequence[Example], learning: Learning
) -> Answering:
    """What reading a prompt and writing a token cost, by answers of the base model."""
    clock.enough = lambda mark: False
    entry, at = run.config.generate, At()
    rows = chosen(dev, per_step(entry, len(dev), PROMPTS), 2, prompt_size)
    prompts = [dataclasses.replace(r, references=(), meta={}, group="", place="") for r in rows]
    folder = run.fresh_folder("probe")
    with run.guard(GENERATE, entry, at):
        seed = derive_seed(run.config.settings.seed, GENERATE, 0)
        run.job(
            folder, GENERATE, entry, at, checkpoint=walk.base, rows={"examples": prompts}, seed=seed
        )
    whole, marks = clock.since(), clock.work()
    lines = read_jsonl(folder / "output" / "predictions.jsonl")
    answers = [from_json(Prediction, line) for line in lines]
    remove(folder)
    start = marks[0].at if marks and marks[0].done == 0 else 0.0
    read = sum(map(prompt_size, rows))
    reading = learning.per_character / learning.passes * FORWARD
    reading = min(reading, 0.5 * (whole - start) / max(1, read))
    written = [_length(answer) for answer in answers]
    known = sum(answer.prompt_tokens or 0 for answer in answers)
    return Answering(
        start=start,
        per_prompt_character=reading,
        per_token=(whole - start - reading * read) / max(1, sum(written)),
        tokens=sum(written) / max(1, len(written)),
        longest=max(written, default=0),
        tokens_per_character=known / read if known and read else 1.0,
    )


def _length(answer: Prediction) -> int:
    return len(answer.text) if answer.completion_tokens is None else answer.completion_tokens


def _trained(
    run: PlannedRun, walk: Walk, rows: Sequence[Example], held: Sequence[Example], folder: Any
) -> None:
    entry, at = run.config.train, At(1)
    seed = derive_seed(run.config.settings.seed, TRAIN, 1)
    given = {"train": rows, "valid": held}
    with run.guard(TRAIN, entry, at):
        run.job(folder, TRAIN, entry, at, checkpoint=walk.base, rows=given, seed=seed)


def per_step(entry: PluginEntry, rows: int, otherwise: int) -> int:
    """Rows of one step."""
    planned: Schedule | None = results.schedule(entry.instance.schedule(rows))
    if planned is None or planned.steps < 1:
        return min(rows, otherwise)
    return max(1, min(rows, math.ceil(rows * planned.passes / planned.steps)))


def chosen(
    rows: Sequence[Example], each: int, steps: int, key: Callable[[Example], int]
) -> list[Example]:
    """Rows for so many steps: the longest ones for one, and of the others every length."""
    ordered = sorted(rows, key=key)
    longest, others = ordered[-each:], ordered[:-each]
    return [*longest, *spread(others, each * (steps - 1), key)]


def spread(rows: Sequence[Example], count: int, key: Callable[[Example], int]) -> list[Example]:
    """At most so many rows, whose lengths are spread as those of all."""
    if len(rows) <= count:
        return list(rows)
    ordered = sorted(rows, key=key)
    return [ordered[(2 * place + 1) * len(rows) // (2 * count)] for place in range(count)]
