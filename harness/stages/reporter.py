"""The stage that writes reports: reporter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.boundary.results import paths, refused
from harness.records.analysis import Analysis
from harness.stages.base import Plugin

if TYPE_CHECKING:
    from rich.console import Console


class Reporter(Plugin):
    """Writes a report from the analysis (``harness docs analysis``)."""

    stage = "reporter"

    def write(self, document: Analysis, folder: Path) -> Sequence[Path]:
        """Write into ``folder`` and return the files written.

        The folder may hold an earlier report: ``harness.write_text(path, text)`` replaces a file
        whole or not at all.
        """
        raise NotImplementedError

    def write_all(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """Write a page of all runs of a folder: ``harness report --all``.

        Args:
            document: a ``harness.runs/1`` document.

        Returns:
            the files written; none if this reporter knows no such page (the default).
        """
        return ()

    def show(self, document: Analysis, console: Console) -> bool:
        """Print the report for a person at a terminal.

        Returns:
            False if this reporter only writes files (the default).
        """
        return False


def written(reporter: Reporter, document: Analysis, folder: Path) -> list[Path]:
    """The files that a reporter has written; each is there."""
    files = paths(reporter.write(document, folder), "write()")
    for path in files:
        if not path.is_file():
            raise refused(f"write() names '{path.name}', which is not there")
    return files


def exercise_reporter(
    reporter: Reporter, document: Analysis, folder: Path, console: Any
) -> list[Path] | bool:
    """All that a reporter is asked: its files, or whether it shows anything without one."""
    shown = reporter.show(document, console)
    return written(reporter, document, folder) or bool(shown)
