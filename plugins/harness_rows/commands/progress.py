"""The progress of commands on rows, on standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console

import harness
from harness.kit.terminal.streams import plugins_on_stderr

Begin = Callable[[str], harness.Report]
"""A piece of work begins; gives what its progress is told."""
PIECES = 4
"""Pieces of work of a command, about."""


@contextlib.contextmanager
def working(command: str) -> Iterator[Begin]:
    """A display of pieces of work, one after the other; what libraries print goes there, too."""
    from harness.kit.terminal.progress import SHORT, Display

    console = Console(stderr=True)
    with plugins_on_stderr(), Display(console, command, PIECES * SHORT) as display:
        yield display.piece


def counting(begin: Begin, before: str, then: str) -> harness.Report:
    """A report of work that has to be prepared: its time left counts from the first step on."""
    begin(before)
    inner: harness.Report | None = None

    def report(done: int, total: int, what: str) -> None:
        nonlocal inner
        inner = inner or begin(then)
        inner(done, total, what)

    return report
