"""What it costs a stage that its progress is written to ``live.json``.

    python benchmarks/live.py [--seconds 10] [--turns 5] [--events 200]

A stage of fixed work tells its steps with a loss, so many a second, to the display alone and to a
``LiveFile`` around it, in turns, into a document that is as large as it may become (all curves,
scores and lines are there). Printed are the writes, their summed time, its share of the stage's
time, and what a report takes. Alone on the machine.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from harness.kit.remote.spending import Spending
from harness.kit.terminal.progress import Display
from harness.records import Score
from harness.records.context import Report
from harness.records.live import CURVES, LINES, POINTS, SCORES
from harness.run.live import LiveFile

REPORTS = 20_000
"""Calls by which a report is timed."""


class Timed(LiveFile):
    """Counts its writes, and how long they take on the clock and on the processor."""

    def __init__(self, run: Any, display: Display) -> None:
        super().__init__(run, display)
        self.writes, self.wall, self.processor = 0, 0.0, 0.0

    def _write(self, *given: Any) -> None:
        wall, processor = time.perf_counter(), time.thread_time()
        super()._write(*given)
        self.writes += 1
        self.wall += time.perf_counter() - wall
        self.processor += time.thread_time() - processor


def display() -> Display:
    """One that draws no bars."""
    return Display(Console(file=io.StringIO()), "run", 24.0)


def filled(file: LiveFile) -> LiveFile:
    """With all that it may hold, but for one curve."""
    for number in range(CURVES - 1):
        report = file.stage(f"round {number}: train")
        for step in range(POINTS):
            report(step, POINTS, f"steps, loss {1 / (step + 1):.4g}")
    score = Score("f1", 0.81234567, 0.7712345, 0.8512345, 500, 0, "")
    for number in range(SCORES):
        file.scored(f"round {number}: dev", {"f1": score})
    for _ in range(LINES):
        file.say("a sentence of usual length that somebody reads at the terminal " * 2)
    return file


def python(seconds: float) -> Callable[[], None]:
    """Work in this process that takes about so long: it holds Python's lock, as a metric's does."""
    began, turns = time.perf_counter(), 0
    while time.perf_counter() < began + 1:
        sum(range(50))
        turns += 1
    count = round(turns * seconds)

    def work() -> None:
        for _ in range(count):
            sum(range(50))

    return work


def stage(report: Report, count: int, work: Callable[[], None]) -> float:
    """Seconds that a stage takes: so many events, with work before each."""
    begin = time.perf_counter()
    for step in range(count):
        work()
        report(step + 1, count, f"steps, loss {1 / (step + 1):.4g}")
    return time.perf_counter() - begin


def each(report: Callable[[int, int, str], None]) -> float:
    """Microseconds of a report."""
    begin = time.perf_counter()
    for step in range(REPORTS):
        report(step + 1, REPORTS, "steps, loss 0.8312")
    return (time.perf_counter() - begin) / REPORTS * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--events", type=int, default=200)
    given = parser.parse_args()
    count, pause = int(given.seconds * given.events), 1 / given.events
    kinds = {
        "work in this process": python(pause),
        "work in a worker, which is waited for": lambda: time.sleep(pause),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "command.json").write_text(json.dumps(["harness", "iterate"]))
        run = SimpleNamespace(
            folder=folder, name="run", config=None, spending=Spending(folder / "spent.jsonl", "run")
        )
        for kind, work in kinds.items():
            print(f"{kind}, {count:,} events")
            compared(run, work, count, given.turns)
        print(f"the file has {(folder / 'live.json').stat().st_size:,} bytes")
        alone = each(display().stage("round 1: train"))
        with filled(LiveFile(run, display())) as file:
            told = each(file.stage("round 1: train"))
        print(f"a report: {alone:.2f} µs by the display alone, {told:.2f} µs with it")


def compared(run: Any, work: Callable[[], None], count: int, turns: int) -> None:
    """The same stage without and with, in turns."""
    ratios, writes, wall, processor = [], [], [], []
    for _ in range(turns):
        without = stage(display().stage("round 1: train"), count, work)
        with filled(Timed(run, display())) as file:
            seconds = stage(file.stage("round 1: train"), count, work)
        ratios.append(seconds / without)
        writes.append(file.writes)
        wall.append(file.wall / seconds)
        processor.append(file.processor / seconds)
    print(
        f"  writes: {statistics.median(writes):g}; their time, of the stage's: "
        f"{statistics.median(wall):.3%} on the clock, {statistics.median(processor):.3%} on the "
        f"processor\n  with, over without: {statistics.median(ratios):.4f} "
        f"({min(ratios):.4f} to {max(ratios):.4f})"
    )


if __name__ == "__main__":
    main()
