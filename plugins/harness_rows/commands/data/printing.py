"""What these commands print: progress on standard error, JSON or tables on standard output."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

import harness
from harness.terminal.streams import plugins_on_stderr

Begin = Callable[[str], harness.Report]
"""A piece of work begins; gives what its progress is told."""
PIECES = 4
"""Pieces of work of a command, about."""


@contextlib.contextmanager
def working(command: str) -> Iterator[Begin]:
    """A display of pieces of work, one after the other; what libraries print goes there, too."""
    from harness.terminal.progress import SHORT, Display

    console = Console(stderr=True)
    before = ""
    with plugins_on_stderr(), Display(console, command, PIECES * SHORT) as display:

        def begin(label: str) -> harness.Report:
            nonlocal before
            if before:
                display.stage_done("", before, 0.0, False)
            before = label
            return display.stage(label)

        yield begin


def counting(begin: Begin, before: str, then: str) -> harness.Report:
    """A report of work that has to be prepared: its time left counts from the first step on."""
    begin(before)
    inner: harness.Report | None = None

    def report(done: int, total: int, what: str) -> None:
        nonlocal inner
        inner = inner or begin(then)
        inner(done, total, what)

    return report


def set_in(console: Console, text: Text) -> None:
    """A text set in by two cells, without blanks at the ends of its lines."""
    for line in text.wrap(console, max(console.width - 2, 10), overflow="fold"):
        line.rstrip()
        console.print(Text("  ").append_text(line), highlight=False, soft_wrap=True)


def write_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
