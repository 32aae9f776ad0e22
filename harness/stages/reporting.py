"""Stages that tell people: reporter, section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    Floats = npt.NDArray[np.float64]

from harness.stages.base import Plugin


class Reporter(Plugin):
    """Writes a report from the analysis document (see ``docs/analysis.md``)."""

    stage = "reporter"

    def write(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """Write into ``folder`` and return the files written.

        The folder may hold an earlier report: ``harness.write_text(path, text)`` replaces a file
        whole or not at all.
        """
        raise NotImplementedError

    def show(self, document: Mapping[str, Any], console: Console) -> bool:
        """Print the report for a person at a terminal.

        Returns:
            False if this reporter only writes files (the default).
        """
        return False


class Section(Plugin):
    """A section of one's own in every report: a table under a title.

    Attributes:
        title: its heading.
    """

    stage = "section"
    title: ClassVar[str] = ""

    def rows(self, document: Mapping[str, Any], database: Path) -> Sequence[Mapping[str, Any]]:
        """The rows of the table; all have the keys of the first, whose order is the columns'.

        Args:
            document: the analysis so far (see ``docs/analysis.md``).
            database: the run's ``run.duckdb``; ``harness.query(database, sql)`` asks it.
        """
        raise NotImplementedError
