"""One live display for rounds, stages and steps; plain lines where nothing can be drawn over."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from harness.kit import cgroups
from harness.kit.numbers import duration
from harness.kit.terminal.time_left import TimeLeft
from harness.kit.text import one_line
from harness.records import RoundResult, Score
from harness.records.context import Report

COLOURS = {"improved": "green", "no evidence": "yellow", "regressed": "red"}
PLAIN_SECONDS = 15.0
SENTENCE = 2_000
"""Characters of a sentence that are shown; the summary holds all of them."""
STEP = 200
"""Characters of what a stage says of its step."""


GENERAL = {"losses": 0.8, "instructions": 0.4}
"""The same as :data:`WEIGHTS`, of a model on general text."""
WEIGHTS = {
    "train": 12.0, "generate": 6.0, "generate pool": 6.0, "generate test": 4.0,
    "answer losses": 6.0, **GENERAL,
}  # fmt: skip
"""How long stages last, relative to each other; all others count as :data:`SHORT`."""
WITHIN_TRAIN = {"train steps": 9.0, "generate valid": 0.4}
"""Parts of a training of which a checkpoint is chosen; they count until it is done itself."""
SHORT = 0.2


def _weight(stage: str) -> float:
    """Of one stage; ``train 1`` is a ``train``, and ``generate 1`` a part of ``generate``."""
    if re.fullmatch(r"generate( \w+)? \d+", stage):
        return 0.0
    return {**WEIGHTS, **WITHIN_TRAIN}.get(_kind(stage), SHORT)


def _kind(stage: str) -> str:
    """Of the trainings that follow one another each is a training."""
    return re.sub(r"^train \d+", "train", stage)


def weight_planned(
    rounds: int, metrics: int, control: bool, prompts: int = 0, arms: int = 0, beside: int = 0,
    trainers: int = 1,
) -> float:  # fmt: skip
    """The weight of all stages of a run, for the overall bar and its time left.

    Args:
        arms: trainings beside the rounds.
        beside: plugins that are asked beside the task, of general text.
        trainers: that work one after the other in each training.
    """
    small = SHORT * (metrics + 1)
    dev, test = WEIGHTS["generate"] + small, WEIGHTS["generate test"] + small
    each = trainers * WEIGHTS["train"] + dev + 2 * SHORT
    asked = prompts * (SHORT + dev)
    general = (rounds + 1) * sum(GENERAL.values()) if beside else 0.0
    trained = (rounds * (2 if control else 1) + arms) * each
    return 2 * SHORT + dev + asked + SHORT + trained + 2 * test + general


def weight_of_pool(rounds: int) -> float:
    """The same of answering rows of the pool with so many rounds' models."""
    return SHORT + rounds * WEIGHTS["generate pool"]


def in_a_notebook() -> bool:
    """Whether a cell of a notebook started this: what it shows cannot be drawn over.

    The kernel gives its ``!command`` a terminal, and each of a bar's redrawings a line.
    """
    return "JPY_PARENT_PID" in os.environ


@dataclass(slots=True)
class Step:
    """A stage at work.

    Attributes:
        begun: seconds, of the monotonic clock.
        weight: of the whole stage.
        bar: its own, where bars are drawn.
        what, done, total: as it reports them.
        within: the weight of what is done of it.
    """

    label: str
    begun: float
    weight: float
    bar: TaskID | None
    what: str = ""
    done: int = 0
    total: int = 0
    within: float = 0.0
    time_left: TimeLeft = field(default_factory=TimeLeft)

    @property
    def seconds_left(self) -> float | None:
        """None until its pace is steady enough to say it."""
        return self.time_left.seconds(self.total)


class Display:
    """Shows a run on standard error. Implements :class:`harness.records.context.Watcher`.

    Args:
        elsewhere: jobs are at work on machines of which the load of this one says nothing.
    """

    def __init__(
        self, console: Console, run: str, total: float, *, elsewhere: bool = False
    ) -> None:
        self.console, self.run, self.elsewhere = console, run, elsewhere
        self.live = console.is_terminal and not in_a_notebook()
        self._done = self._within_train = 0.0
        self._total = total
        self._piece = ""
        self._lock = threading.RLock()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", style="dim", markup=False),
            console=console,
            transient=True,
        )
        self._time_left = TimeLeft()
        self._overall: TaskID | None = None
        self._steps: dict[threading.Thread, Step] = {}

    def __enter__(self) -> Self:
        if self.live:
            self._progress.start()
            self._overall = self._progress.add_task(one_line(self.run), total=self._total, left="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self._progress.stop()

    def stage(self, label: str) -> Report:
        """A stage begins: its own bar, fed by the returned function.

        A thread is within one stage at a time; where several are at work there are several bars.
        """
        said, thread = time.monotonic(), threading.current_thread()
        with self._lock:
            self._end_step()
            bar = None
            if self.live:
                bar = self._progress.add_task(one_line(label, STEP), total=None, left="")
            step = self._steps[thread] = Step(label, said, _weight(_stage_of(label)), bar)

        def report(done: int, total: int, what: str) -> None:
            nonlocal said
            now = time.monotonic()
            with self._lock:
                if self._steps.get(thread) is not step:
                    return
                step.within = step.weight * done / max(1, total)
                step.done, step.total, step.what = done, total, f"{what}"
                if done:
                    step.time_left.reached(now, done)
                self._advance(now)
                is_due = now - said >= PLAIN_SECONDS and done
                if bar is None and not is_due:
                    return
                busy = "" if self.elsewhere else cgroups.busy()
                remaining = ", ".join(filter(None, (_left(step.seconds_left), busy)))
                if bar is not None:
                    text = one_line(f"{label} {what}", STEP)
                    self._progress.update(
                        bar, completed=done, total=total, description=text, left=remaining
                    )
                else:
                    said = now
                    self._print(", ".join(filter(None, (f"{label}: {done}/{total}", remaining))))

        return report

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        """Count a stage on the overall bar and say how long it took."""
        with self._lock:
            weight = _weight(stage)
            if _kind(stage) == "train":
                weight, self._within_train = max(0.0, weight - self._within_train), 0.0
            elif _kind(stage) in WITHIN_TRAIN:
                self._within_train += weight
            self._done += weight
            self._end_step()
            self._advance(time.monotonic())
            if seconds >= 1 and not cached:
                self._print(f"{label}: {seconds:.0f} s", style="dim")

    def scored(self, label: str, scores: Mapping[str, Score]) -> None:
        """Scores are shown with the verdict of their round."""

    def at_work(self) -> list[Step]:
        """The stages at work, one for each thread."""
        with self._lock:
            return [step for thread, step in self._steps.items() if thread.is_alive()]

    def share_and_left(self) -> tuple[float, float | None]:
        """The share of all work that is done, and the seconds that the rest takes.

        The second one is None until the pace is steady enough to say it.
        """
        with self._lock:
            done, total = self._done_of()
            return done / total if total else 0.0, self._time_left.seconds(total)

    def piece(self, label: str) -> Report:
        """A piece of a command's work begins, where the one before it ends."""
        if self._piece:
            self.stage_done("", self._piece, 0.0, False)
        self._piece = label
        return self.stage(label)

    def _end_step(self) -> None:
        """The bar of this thread's stage goes, and those of threads that have ended."""
        this = threading.current_thread()
        for thread in [t for t in self._steps if t is this or not t.is_alive()]:
            if (bar := self._steps.pop(thread).bar) is not None:
                self._progress.remove_task(bar)

    def say(self, sentence: str) -> None:
        self._print(sentence, style="yellow" if sentence.startswith("warning") else "")

    def round_closed(self, result: RoundResult) -> None:
        """The verdict, as soon as it is known."""
        head, words = in_words(result)
        if not words:
            return
        label, text = result.verdict.label, Text(head, style="bold")
        text.append(one_line(words, SENTENCE), style="default not bold")
        if label in COLOURS:
            text.highlight_words([label], style=f"bold {COLOURS[label]}")
        self.console.print(text, highlight=False, soft_wrap=not self.live)

    def _done_of(self) -> tuple[float, float]:
        """What is done, within the stages at work included, and all there is to do."""
        done = self._done + sum(step.within for step in self._steps.values())
        return done, max(self._total, done)

    def _advance(self, now: float) -> None:
        """Move the overall bar to what is done."""
        done, total = self._done_of()
        self._time_left.reached(now, done)
        if self._overall is not None:
            left = _left(self._time_left.seconds(total))
            self._progress.update(self._overall, completed=done, total=total, left=left)

    def _print(self, text: str, style: str = "") -> None:
        # In a log file a sentence stays on one line, where it can be searched.
        shown = Text(one_line(text, SENTENCE), style=style)
        self.console.print(shown, highlight=False, soft_wrap=not self.live)


def in_words(result: RoundResult) -> tuple[str, str]:
    """Which round was closed (``round 2: ``), and its verdict; empty for the baseline, without."""
    if result.verdict.label == "baseline":
        return "", ""
    arm = "" if result.arm == "main" else f" ({result.arm} rows)"
    return f"round {result.round}{arm}: ", result.verdict.words


def _left(seconds: float | None) -> str:
    """``about 3 min 20 s left``; an empty text where it is not known."""
    return "" if seconds is None else f"about {duration(seconds)} left"


def _stage_of(label: str) -> str:
    """``train`` of ``round 2: train (random)``."""
    return label.split(": ")[-1].split(" (")[0]
