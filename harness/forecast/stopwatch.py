"""Jobs timed from outside, by the progress that they report, and stopped where enough was seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.context import Report, Watcher


@dataclass(frozen=True, slots=True)
class Mark:
    """Progress that was reported, seconds after its job began."""

    at: float
    done: int
    total: int
    what: str


class Stopwatch:
    """Shows what jobs report, keeps when they did, and says when they may stop.

    Attributes:
        marks: of the job at work, or of the last one.
    """

    def __init__(self, watcher: Watcher, cancelled: Callable[[], bool]) -> None:
        self._watcher, self._cancelled = watcher, cancelled
        self.marks: list[Mark] = []
        self._begin = 0.0
        self.limit()

    def limit(self, steps: float = math.inf, seconds: float = math.inf) -> None:
        """How far the next job goes: after so many steps, or seconds of steps, it may stop."""
        self._steps, self._seconds = steps, seconds

    def stage(self, label: str) -> Report:
        shown = self._watcher.stage(f"probe: {label.rpartition(': ')[2]} some rows")
        self.marks, self._begin = [], time.monotonic()

        def report(done: int, total: int, what: str) -> None:
            self.marks.append(Mark(self.since(), done, total, what))
            shown(done, int(min(total, self._steps)), what)

        return report

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._watcher.stage_done(stage, label, seconds, cached)

    def say(self, sentence: str) -> None:
        return None

    def since(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self._begin

    @property
    def enough(self) -> bool:
        """Whether the job went as far as it had to."""
        marks = self.work()
        if not marks:
            return False
        first, last = marks[0], marks[-1]
        return last.done >= self._steps or (last.done > 0 and last.at - first.at > self._seconds)

    def stop(self) -> bool:
        """Whether the job shall stop: the user asks for it, or enough was seen."""
        return self._cancelled() or self.enough

    def work(self) -> list[Mark]:
        """The marks of the job's main work: those of its last kind."""
        if not self.marks:
            return []
        last = self.marks[-1]
        return [mark for mark in self.marks if (mark.total, mark.what) == (last.total, last.what)]
