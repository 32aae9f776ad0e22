"""Errors as people see them: one message, no traceback (``--debug`` adds it)."""

from __future__ import annotations

import traceback

from rich.console import Console
from rich.text import Text

from harness.errors import EnvironmentFailure, HarnessError, PluginError
from harness.errors.machine import machine_trouble
from harness.kit.text import plain

LINE_LIMIT = 2000


def show(error: HarnessError, *, debug: bool) -> int:
    """Print the error on standard error; returns its exit code."""
    console = Console(stderr=True)
    head = Text(f"{error.title}: ", style="bold red")
    body = "\n".join(plain(line, LINE_LIMIT) for line in str(error).split("\n"))
    console.print(head + Text(body), highlight=False, soft_wrap=True)
    if debug:
        notes = "".join(getattr(error, "__notes__", []))
        trace = "".join(traceback.format_exception(error)) + notes
        console.print(Text(plain(trace)), soft_wrap=True)
    elif isinstance(error, PluginError):
        console.print(Text("  -> --debug shows the traceback", style="dim"))
    return error.exit_code


def show_os_error(error: OSError, *, debug: bool) -> int:
    """What the system refused, wherever it was met: a full disk, a cut connection, a lost file."""
    failure = machine_trouble(error) or EnvironmentFailure(
        error.strerror or str(error) or type(error).__name__,
        where=str(error.filename or ""),
        hint="" if debug else "--debug shows where in the program it happened",
    )
    failure.__cause__ = error
    return show(failure, debug=debug)
