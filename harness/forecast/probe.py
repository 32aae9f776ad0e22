"""A short probe: a training of some steps and some answers, as jobs like any other, and timed.

The jobs are done by the same worker as those of a run: a training on the shortest row, whole (what
loading costs, how large a checkpoint is); one pass over some rows, the longest among them (what a
character costs, and the memory of the longest batch); answers of the first one's model to some
prompts, the longest among them, and of the base model to a few.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.context import Watcher, derive_seed
from harness.engine.at import At
from harness.engine.pins import GENERATE, TRAIN
from harness.errors import Cancelled
from harness.forecast import memory
from harness.forecast.listing import schedule_of
from harness.forecast.looking import PlannedRun, Walk
from harness.forecast.rates import Answering, Learning, Rates
from harness.forecast.sizes import prompt_size, size
from harness.forecast.stopwatch import Stopwatch
from harness.kit.files import read_jsonl, remove
from harness.records import Checkpoint, Example, Prediction, from_json

BATCHES = 4
"""Steps of the training that is timed, that of the longest rows among them."""
ROWS = 8
"""Rows of a step where nobody says how many they are."""
PROMPTS = 32
"""Prompts of a batch, likewise."""
LONGEST = 45.0
"""Seconds of steps after which a training of the probe goes no further than the step at hand."""
FORWARD = 1 / 3
"""Of the time of a training step, what reading its tokens takes: the backward pass computes twice
as much as the forward pass (Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, 2.1).
"""


def probed(run: PlannedRun, walk: Walk, watcher: Watcher, refused: Collection[str] = ()) -> Rates:
    """What training and answering cost on this machine, measured.

    The worker of the walk is at work still, so that jobs begin as those of a run do.

    Args:
        refused: ids of rows that training would refuse, not all of train among them.

    Raises:
        HarnessError: a job failed as it would in the run, for want of memory above all.
        Cancelled: the user asked to stop.
    """
    before, cancelled = run.watcher, run.cancelled
    clock = Stopwatch(watcher, cancelled)
    run.watcher, run.cancelled = clock, clock.stop
    try:
        return _Probe(run, walk, clock, refused).rates()
    finally:
        run.watcher, run.cancelled = before, cancelled
        run.worker.close()


class _Probe:
    """The jobs of one probe."""

    def __init__(
        self, run: PlannedRun, walk: Walk, clock: Stopwatch, refused: Collection[str]
    ) -> None:
        self.run, self.walk, self.clock, self.refused = run, walk, clock, refused

    def rates(self) -> Rates:
        """All that is measured."""
        train, valid = self._taken("train"), self._taken("valid")
        dev = self.walk.data.split("dev")
        tuned, written, first = self._whole(train, valid)
        learning = self._learning(train, valid)
        each = per_step(self.run.config.generate, len(dev), PROMPTS)
        base = self._answering(self.walk.base, spread(dev, each, prompt_size), learning)
        answers = base  # as the base model, where there is no other
        if tuned is not None:
            answers = self._answering(tuned, chosen(dev, each, 2, prompt_size), learning)
            remove(Path(tuned.path).parent)
        self.run.worker.close()  # what has ended can be asked about its memory
        return Rates(
            begin=self.walk.seconds + max(0.0, first.start - learning.start),
            train=dataclasses.replace(learning, finish=first.finish),
            base=base,
            tuned=dataclasses.replace(answers, longest=max(answers.longest, base.longest)),
            memory=memory.peak(inline=self.run.config.settings.execution.launcher == "inline"),
            checkpoint=written,
        )

    def _taken(self, split: str) -> list[Example]:
        """The rows of a split without those that training refuses."""
        return [row for row in self.walk.data.split(split) if row.id not in self.refused]

    def _whole(
        self, train: Sequence[Example], valid: Sequence[Example]
    ) -> tuple[Checkpoint | None, int | None, Learning]:
        """A training on one row: its model, the bytes that it left, its start and end.

        Options may ask for many steps, however few the rows are: one that takes too long is
        stopped, and leaves nothing.
        """
        self.clock.limit(seconds=LONGEST)
        folder = self.run.fresh_folder("probe whole")
        row, *held = (min(rows, key=size) for rows in (train, valid) if rows)
        result = self._train(folder, [row], held)
        whole, marks = self.clock.since(), self.clock.work()
        if result is None:
            remove(folder)
            return None, None, Learning(marks[0].at, 0.0)
        output = folder / "output"
        written = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
        made = from_json(Checkpoint, result["answer"])
        start, end = (marks[0].at, marks[-1].at) if marks else (0.0, whole)
        tuned = dataclasses.replace(made, path=str(output), digest="probe")
        return tuned, written, Learning(start, 0.0, whole - end)

    def _learning(self, train: Sequence[Example], valid: Sequence[Example]) -> Learning:
        """What a character of a training row costs in one pass, validation included."""
        entry = self.run.config.train
        rows = chosen(train, per_step(entry, len(train), ROWS), BATCHES, size)
        # At least one, where the run has any: options may ask for a validation loss.
        many = max(1, round(len(valid) * len(rows) / len(train)))
        held = spread(valid, min(len(rows), many), size)
        planned = schedule_of(entry, len(rows))
        passes = planned.passes if planned else 1.0
        # Rows may be sorted by length within a pass: a part of one would not stand for the whole.
        one_pass = math.ceil(planned.steps / passes) if planned else math.inf
        self.clock.limit(one_pass, LONGEST)
        folder = self.run.fresh_folder("probe")
        self._train(folder, rows, held)
        whole = self.clock.since()
        # A job that is asked to stop may go one step further.
        marks = [mark for mark in self.clock.work() if mark.done <= one_pass]
        remove(folder)
        characters = passes * sum(map(size, rows))
        if len(marks) < 2:
            return Learning(0.0, whole / characters)
        begun, ended = marks[0], marks[-1]
        share = (ended.done - begun.done) / max(1, ended.total)
        return Learning(begun.at, (ended.at - begun.at) / max(share, 1e-9) / characters)

    def _answering(
        self, model: Checkpoint, rows: Sequence[Example], learning: Learning
    ) -> Answering:
        """What reading a prompt and writing a token cost a model."""
        self.clock.limit()
        folder = self.run.fresh_folder("probe")
        bare = [row.as_asked() for row in rows]
        self._job(folder, GENERATE, self.run.config.generate, At(), model, {"examples": bare})
        whole, marks = self.clock.since(), self.clock.work()
        lines = read_jsonl(folder / "output" / "predictions.jsonl")
        answers = [from_json(Prediction, line) for line in lines]
        remove(folder)
        start = marks[0].at if marks and marks[0].done == 0 else 0.0
        read = max(1, sum(map(prompt_size, rows)))
        reading = min(learning.per_character * FORWARD, 0.5 * (whole - start) / read)
        written, per_character = lengths(answers, read)
        return Answering(
            start=start,
            per_prompt_character=reading,
            per_token=(whole - start - reading * read) / max(1, sum(written)),
            tokens=sum(written) / max(1, len(written)),
            longest=max(written, default=0),
            tokens_per_character=per_character,
        )

    def _train(self, folder: Path, rows: Sequence[Example], held: Sequence[Example]) -> Any:
        """Its result; None where enough was seen before its end."""
        entry, given = self.run.config.train, {"train": rows, "valid": held}
        try:
            return self._job(folder, TRAIN, entry, At(1), self.walk.base, given)
        except Cancelled:
            if not self.clock.enough:
                raise
            return None

    def _job(
        self,
        folder: Path,
        stage: str,
        entry: PluginEntry,
        at: At,
        model: Checkpoint,
        rows: Mapping[str, Sequence[Example]],
    ) -> Any:
        seed = derive_seed(self.run.config.settings.seed, stage, at.round)
        with self.run.guard(stage, entry, at):
            found = self.run.job(
                folder, stage, entry, at, checkpoint=model, rows=rows, seed=seed, probe=True
            )
        self.clock.stage_done("probe", stage, 0.0, True)
        return found


def lengths(answers: Sequence[Prediction], read: int) -> tuple[list[int], float]:
    """How long answers are, and how many of that unit a character of their prompts makes.

    Tokens, where the generator counts those of all prompts and answers; else characters.

    Args:
        read: characters of the prompts.
    """
    written = [answer.completion_tokens for answer in answers]
    asked = [answer.prompt_tokens for answer in answers]
    if None in written or None in asked:
        return [len(answer.text) for answer in answers], 1.0
    return [count or 0 for count in written], sum(count or 0 for count in asked) / read


def per_step(entry: PluginEntry, rows: int, otherwise: int) -> int:
    """Rows of one step."""
    planned = schedule_of(entry, rows)
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
