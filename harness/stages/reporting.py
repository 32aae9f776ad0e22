"""Stages that tell people: reporter, section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.kit.blocks import Block, of_rows
from harness.stages.base import Plugin

if TYPE_CHECKING:
    from rich.console import Console


class Reporter(Plugin):
    """Writes a report from the analysis document (see ``docs/analysis.md``)."""

    stage = "reporter"

    def write(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """Write into ``folder`` and return the files written.

        The folder may hold an earlier report: ``harness.write_text(path, text)`` replaces a file
        whole or not at all.
        """
        raise NotImplementedError

    def write_all(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """Write a page of all runs of a folder: ``harness report --all``.

        Args:
            document: a ``harness.runs/1`` document (see ``docs/commands.md``).

        Returns:
            the files written; none if this reporter knows no such page (the default).
        """
        return ()

    def show(self, document: Mapping[str, Any], console: Console) -> bool:
        """Print the report for a person at a terminal.

        Returns:
            False if this reporter only writes files (the default).
        """
        return False


class Section(Plugin):
    """A section of every report: a table under a title, or blocks of any kind.

    Attributes:
        title: its heading.
        order: sections stand by rising numbers. Those of our reports have the hundreds from 100
            (the verdict) to 2600 (commands to type next); ``docs/plugins.md`` lists them.
        always: whether it stands in every report without being named in a config. It has no
            options then, and draws from the document alone.
    """

    stage = "section"
    title: ClassVar[str] = ""
    order: ClassVar[int] = 2100
    always: ClassVar[bool] = False

    def rows(self, document: Mapping[str, Any], database: Path) -> Sequence[Mapping[str, Any]]:
        """The rows of the table; all have the keys of the first, whose order is the columns'.

        Args:
            document: the analysis so far (see ``docs/analysis.md``).
            database: the run's ``run.duckdb``; ``harness.query(database, sql)`` asks it.
        """
        return ()

    def blocks(self, document: Mapping[str, Any]) -> Iterable[Block]:
        """What the section says, by the records of :mod:`harness.kit.blocks`.

        The default is the table of :meth:`rows`. Texts are plain, whatever they hold; a section
        that begins with no heading gets its ``title``. Nothing leaves the section out.

        Args:
            document: the analysis; what :meth:`rows` gave is the last of its ``sections``.
        """
        for found in document.get("sections") or ():
            if found["name"] == self.name:
                return of_rows(found["title"], found["columns"], found["rows"], found["cut"])
        return ()

    def in_short(self, document: Mapping[str, Any]) -> Iterable[Block]:
        """What the section says in the short report, which a terminal shows first.

        The default is nothing.
        """
        return ()
