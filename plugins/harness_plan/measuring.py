"""One short measurement: a batch of answers and a training of some steps, which are thrown away.

Both are jobs like any other, done by the worker that a run would have, and timed from outside by
the progress that they report.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.files import read_jsonl
from harness_plan.listing import TRAIN, answer_size, prompt_size, size
from harness_plan.rates import Rate, Rates, launcher

GENERATE = "generate"

BATCHES = 4
"""Batches of rows that are trained on, that of the longest rows among them."""
ROWS = 8
"""Rows of a step of training where nobody says how many they are."""
PROMPTS = 32
"""Prompts of a batch, likewise."""
LONGEST = 45.0
"""Seconds of steps after which the training goes no further than the step at hand."""
Job = Callable[[str, Mapping[str, Sequence[harness.Example]]], Path]
"""See :meth:`harness.PlannedRun.jobs`."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Progress that was reported, seconds after its job began."""

    at: float
    done: int
    total: int
    what: str


class _Clock(harness.Quiet):
    """Watches one job after the other; says after :data:`LONGEST` that a training may stop."""

    def __init__(self, watcher: harness.Watcher, cancelled: Callable[[], bool]) -> None:
        self._watcher, self._cancelled = watcher, cancelled
        self._marks: list[_Mark] = []
        self._begin, self._may_stop = 0.0, False

    def stage(self, label: str) -> harness.Report:
        self._marks, self._begin = [], time.monotonic()
        name = label.rpartition(": ")[2]
        self._may_stop = name == TRAIN
        shown = self._watcher.stage(f"probe: {name} some rows")

        def report(done: int, total: int, what: str) -> None:
            mark = _Mark(self.since(), done, total, what.partition(", ")[0])  # without its numbers
            # A step that is told again, with its loss, was reached before.
            if not self._marks or dataclasses.replace(self._marks[-1], at=mark.at) != mark:
                self._marks.append(mark)
            shown(done, total, what)

        return report

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, label, seconds, cached)

    def since(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self._begin

    def steps(self) -> list[_Mark]:
        """The marks of the job's main work: those of its last kind."""
        if not self._marks:
            return []
        last = self._marks[-1]
        return [mark for mark in self._marks if (mark.total, mark.what) == (last.total, last.what)]

    @property
    def enough(self) -> bool:
        steps = self.steps() if self._may_stop else []
        return bool(steps) and steps[-1].done > 0 and steps[-1].at - steps[0].at > LONGEST

    def stop(self) -> bool:
        return self._cancelled() or self.enough


def measured(
    run: harness.PlannedRun,
    watcher: harness.Watcher,
    cancelled: Callable[[], bool],
    refused: Collection[str] = (),
) -> Rates:
    """What training and answering cost on this machine.

    The answers come first, so that what the worker loads once for all jobs is in their start.

    Args:
        refused: ids of rows that training would refuse, not all of train among them.

    Raises:
        HarnessError: a job failed as it would in the run, for want of memory above all.
        Cancelled: the user asked to stop.
    """
    clock = _Clock(watcher, cancelled)
    with run.jobs(clock, clock.stop) as job:
        first, base, tuned = _answering(run, job, clock)
        rows, held = _training_rows(run, refused)
        start, train, checkpoint = _training(run, job, clock, rows, held)
    once = min(first, start)
    return Rates(
        begin=run.begins + first - once, train=train, base=Rate(once, base),
        tuned=Rate(once, tuned), checkpoint=checkpoint, longest=max(map(size, rows)),
        memory=_peak(inline=launcher(run) == "inline"),
    )  # fmt: skip


def _answering(run: harness.PlannedRun, job: Job, clock: _Clock) -> tuple[float, float, float]:
    """Seconds before the first answer; those of a character of a row, base model and tuned one.

    A tuned model is taken to write answers as long as those of the rows, but none longer than the
    longest one of the base model, and to take for a character as long as that.
    """
    dev = run.rows("dev")
    rows = _spread(dev, _per_step(run, GENERATE, len(dev), PROMPTS), prompt_size)
    folder = job(GENERATE, {"examples": [row.as_asked() for row in rows]})
    whole, steps = clock.since(), clock.steps()
    written = [len(line["text"]) for line in read_jsonl(folder / "predictions.jsonl")]
    start = steps[0].at if steps and steps[0].done == 0 else 0.0
    sizes, read = sum(map(size, rows)), sum(map(prompt_size, rows))
    expected = sum(min(answer_size(row), max(written)) for row in rows)
    each = (whole - start) / sizes
    return start, each, each * (read + expected) / max(1, read + sum(written))


def _training_rows(
    run: harness.PlannedRun, refused: Collection[str]
) -> tuple[list[harness.Example], list[harness.Example]]:
    """The longest rows for one batch, and of the others every length; rows for validation."""
    train, valid = (
        [row for row in run.rows(split) if row.id not in refused] for split in ("train", "valid")
    )
    each = _per_step(run, TRAIN, len(train), ROWS)
    ordered = sorted(train, key=size)
    rows = [*ordered[-each:], *_spread(ordered[:-each], each * (BATCHES - 1), size)]
    # At least one, where the run has any: options may ask for a validation loss.
    many = max(1, round(len(valid) * len(rows) / len(train)))
    return rows, _spread(valid, min(len(rows), many), size)


def _training(
    run: harness.PlannedRun,
    job: Job,
    clock: _Clock,
    rows: Sequence[harness.Example],
    held: Sequence[harness.Example],
) -> tuple[float, Rate, int | None]:
    """Seconds before the first step; the rate; the bytes that are left where it was not stopped."""
    rest = None
    try:
        folder = job(TRAIN, {"train": rows, "valid": held})
        whole = clock.since()
        rest = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except harness.Cancelled:
        if not clock.enough:
            raise
        whole = clock.since()
    steps, planned = clock.steps(), run.variants.schedule(TRAIN, len(rows))
    characters = sum(map(size, rows)) * (planned.passes if planned else 1.0)
    if len(steps) < 2:
        return 0.0, Rate(0.0, whole / characters), rest
    begun, last = steps[0], steps[-1]
    share = max(last.done - begun.done, 1e-9) / max(1, last.total)
    after = whole - last.at if rest is not None else 0.0
    return begun.at, Rate(begun.at + after, (last.at - begun.at) / share / characters), rest


def _per_step(run: harness.PlannedRun, key: str, rows: int, otherwise: int) -> int:
    """Rows of one step."""
    planned = run.variants.schedule(key, rows)
    if planned is None or planned.steps < 1:
        return min(rows, otherwise)
    return max(1, min(rows, -int(-rows * planned.passes // planned.steps)))


def _spread(
    rows: Sequence[harness.Example], count: int, key: Callable[[harness.Example], int]
) -> list[harness.Example]:
    """At most so many rows, whose lengths are spread as those of all."""
    if len(rows) <= count:
        return list(rows)
    ordered = sorted(rows, key=key)
    return [ordered[(2 * place + 1) * len(rows) // (2 * count)] for place in range(count)]


def _peak(*, inline: bool) -> int | None:
    """Bytes of resident memory: of the greatest process that has ended, or of this one.

    Args:
        inline: whether the work was done in this process.
    """
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    who = resource.RUSAGE_SELF if inline else resource.RUSAGE_CHILDREN
    kilobytes = resource.getrusage(who).ru_maxrss
    return (kilobytes if sys.platform == "darwin" else 1024 * kilobytes) or None
