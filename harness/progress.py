"""One live display for rounds, stages and steps; plain lines where there is no terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from harness.context import Report
from harness.records import RoundResult

COLOURS = {"improved": "green", "no evidence": "yellow", "regressed": "red"}
PLAIN_SECONDS = 15.0


def stages_planned(rounds: int, metrics: int, control: bool) -> int:
    """How many stages a run goes through, for the overall bar."""
    evaluate = 2 + metrics
    per_round = 1 + evaluate + 2
    return 2 + (evaluate + 1) + rounds * per_round * (2 if control else 1) + 2 * evaluate


class Display:
    """Shows a run on standard error. Implements :class:`harness.run.Watcher`."""

    def __init__(self, console: Console, run: str, total: int) -> None:
        self.console, self.run = console, run
        self.live = console.is_terminal
        self._done = 0
        self._total = total
        self._said = 0.0
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._overall: TaskID | None = None
        self._step: TaskID | None = None

    def __enter__(self) -> Self:
        if self.live:
            self._progress.start()
            self._overall = self._progress.add_task(self.run, total=self._total)
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
        """A stage begins: its own bar, fed by the returned function."""
        if self.live:
            if self._step is not None:
                self._progress.remove_task(self._step)
            self._step = self._progress.add_task(label, total=None)
        begin = self._said = time.monotonic()

        def report(done: int, total: int, what: str) -> None:
            if self.live:
                if self._step is not None:
                    text = f"{label} {what}".strip()
                    self._progress.update(self._step, completed=done, total=total, description=text)
                return
            now = time.monotonic()
            if now - self._said >= PLAIN_SECONDS and done:
                self._said = now
                left = (now - begin) / done * (total - done)
                self._print(f"{label}: {done}/{total}, about {left:.0f} s left")

        return report

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        """Count a stage on the overall bar and say how long it took."""
        self._done += 1
        if self.live:
            if self._step is not None:
                self._progress.remove_task(self._step)
                self._step = None
            if self._overall is not None:
                total = max(self._total, self._done)
                self._progress.update(self._overall, completed=self._done, total=total)
        if seconds >= 1 and not cached:
            self._print(f"{label}: {seconds:.0f} s", style="dim")

    def say(self, sentence: str) -> None:
        self._print(sentence, style="yellow" if sentence.startswith("warning") else "")

    def round_closed(self, result: RoundResult) -> None:
        """The verdict, as soon as it is known."""
        verdict = result.verdict
        if verdict.label == "baseline":
            return
        arm = "" if result.arm == "main" else f" ({result.arm} rows)"
        head = Text(f"round {result.round}{arm}: ", style="bold")
        head.append(verdict.sentence, style="default not bold")
        head.highlight_words([verdict.label], style=f"bold {COLOURS[verdict.label]}")
        self.console.print(head, highlight=False)

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style), highlight=False)
