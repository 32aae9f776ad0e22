"""What the page knows of a run: its state, its report, its database; read when they change."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import harness
from harness.kit import gate
from harness.kit.blocks import of_sections
from harness.kit.html.sections import PageSection, sections
from harness.kit.text import storable

DATABASE, ANALYSIS, SUMMARY = "run.duckdb", "analysis.json", "summary.json"
ANSWERS = "examples"
"""The section with the worst answers: the table of rows has all of them."""
Row: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[str], list[Row]]
"""Answers SQL: each row by the names of its columns."""
Stamp: TypeAlias = tuple[int, int, int] | None
"""What tells a file from one that took its place; None where there is none."""


def stamp(path: Path) -> Stamp:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_ino, there.st_mtime_ns, there.st_size


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + storable(text).replace("'", "''") + "'"


class Source:
    """One run, for many requests and threads: what was read stays until its file is another one.

    Attributes:
        name: of the run.
        open_test: whether rows of test may be looked at; otherwise its database hides them.
    """

    def __init__(self, name: str, *, open_test: bool = False) -> None:
        self.name, self.open_test = name, open_test
        self.view = harness.open_run(name)
        self._reports = self.view.reports
        self._turn, self._reading = threading.Lock(), threading.Lock()
        self._database: tuple[Stamp, Ask, contextlib.ExitStack] | None = None
        self._report: tuple[Stamp, harness.Analysis, Sequence[PageSection]] | None = None
        self._remembered: dict[object, tuple[Stamp, Any]] = {}
        self._refreshing: threading.Thread | None = None
        self._failed = False
        self._refreshed: Stamp = None

    @property
    def state(self) -> tuple[object, ...]:
        """Changes whenever there is something new to see."""
        live = self.view.live()
        files = (stamp(self._reports / name) for name in (SUMMARY, ANALYSIS, DATABASE))
        return live and (live.state, live.updated), *files, self.note

    @property
    def has_report(self) -> bool:
        """Whether anything of its report was made, whole or not."""
        return (self._reports / ANALYSIS).exists() or (self._reports / DATABASE).exists()

    # -- its report --------------------------------------------------------------------------------

    @property
    def note(self) -> str:
        """What keeps the report from being that of all closed rounds; empty for nothing."""
        if self._refreshing is not None and self._refreshing.is_alive():
            return "The report of the rounds that are closed by now is being made."
        command = shlex.join(["harness", "report", self.name])
        return f"The report could not be made again: `{command}` says why." if self._failed else ""

    def refresh(self) -> None:
        """See to it that its report tells of all closed rounds, as `harness report` does.

        Looked at once for each change of the summary. It takes seconds, and more of a large run: a
        process of its own does it, and what is there is shown meanwhile.
        """
        summary = stamp(self._reports / SUMMARY)
        with self._reading:
            busy = self._refreshing is not None and self._refreshing.is_alive()
            if busy or summary is None or summary == self._refreshed:
                return
            self._refreshed = summary
            if self.view.outdated:
                self._refreshing = threading.Thread(target=self._make_report, daemon=True)
                self._refreshing.start()

    def _make_report(self) -> None:
        done = gate.run_ours(
            "harness.cli", "report", self.name, "--brief",
            stdin=gate.DEVNULL, stdout=gate.DEVNULL, stderr=gate.DEVNULL,
        )  # fmt: skip
        self._failed = done.returncode != 0

    def report(self) -> tuple[harness.Analysis, Sequence[PageSection]]:
        """Its report as it was made last, and its sections but the worst answers, drawn.

        Raises:
            HarnessError: there is none yet, or it is damaged.
        """
        there = stamp(self._reports / ANALYSIS)
        with self._reading:
            if self._report is None or self._report[0] != there:
                analysis = self.view.report()
                others = tuple(part for part in analysis.sections if part.name != ANSWERS)
                shown = sections(of_sections(dataclasses.replace(analysis, sections=others)))
                self._report = there, analysis, shown
            return self._report[1], self._report[2]

    # -- its database ------------------------------------------------------------------------------

    def close(self) -> None:
        """Close its database, which the next question opens again."""
        with self._turn:
            if self._database is not None:
                self._database[2].close()
                self._database = None

    @contextlib.contextmanager
    def database(self) -> Iterator[Ask]:
        """Answers SQL; threads take turns, and another file in its place is opened anew.

        Raises:
            HarnessError: there is none yet, or another version built it.
        """
        path = self._reports / DATABASE
        with self._turn:
            there = stamp(path)
            if self._database is None or self._database[0] != there:
                if self._database is not None:
                    self._database[2].close()
                    self._database = None
                stack = contextlib.ExitStack()
                asked = stack.enter_context(harness.open_database(path, sealed=not self.open_test))

                def ask(sql: str) -> list[Row]:
                    result = asked(sql)
                    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

                self._database = there, ask, stack
            yield self._database[1]

    def once(self, key: object, read: Callable[[Ask], Any]) -> Any:
        """What is read of its database, and remembered for as long as that is the same file.

        Args:
            key: what tells it from all else that is remembered.
        """
        with self.database() as ask:
            there = self._database and self._database[0]
            remembered = self._remembered.get(key)
            if remembered is None or remembered[0] != there:
                if len(self._remembered) >= 200:
                    self._remembered.clear()
                remembered = self._remembered[key] = there, read(ask)
            return remembered[1]
