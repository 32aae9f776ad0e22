"""``harness rebuild``: a run's database and reports made again from what it has stored."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.cli.inspect import folder_of
from harness.context import Quiet
from harness.kit.text import one_line
from harness.report.refresh import refresh, remake


def rebuild(name: str | None) -> None:
    """Everything below ``reports/<run>/`` but its summary, which stays as it is.

    Raises:
        DataError: what they are made from is not stored any more.
    """
    folder = folder_of(name)
    written = remake(folder, Quiet(), whole=True)
    told = f"{folder}: {', '.join(written)}"
    Console(stderr=True).print(Text(one_line(told)), highlight=False, soft_wrap=True)


def refreshed(folder: Path) -> Path:
    """The folder, its reports made again where they are outdated; a line on stderr says so."""
    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(Text(one_line(sentence)), highlight=False, soft_wrap=True)

    refresh(folder, Quiet(), say)
    return folder
