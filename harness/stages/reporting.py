"""Stages that tell people: reporter, section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.boundary.results import each, paths, refused, returned, wrong
from harness.kit.blocks import Block, flaw, of_rows
from harness.stages.base import Plugin

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 100_000
"""Rows of one section."""
MOST_BLOCKS = 500
"""Blocks of one section."""


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


def written(reporter: Reporter, document: Mapping[str, Any], folder: Path) -> list[Path]:
    """The files that a reporter has written; each is there."""
    files = paths(reporter.write(document, folder), "write()")
    for path in files:
        if not path.is_file():
            raise refused(f"write() names '{path.name}', which is not there")
    return files


def exercise_reporter(
    reporter: Reporter, document: Mapping[str, Any], folder: Path, console: Any
) -> list[Path]:
    """All that a reporter is asked."""
    reporter.show(document, console)
    return written(reporter, document, folder)


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


def table_of(
    section: Section, document: Mapping[str, Any], database: Path
) -> list[Mapping[str, Any]]:
    """The rows of a section's table, whose cells may be anything that has a text."""
    call = "rows()"
    rows = list(each(section.rows(document, database), call, "mappings", MOST_ROWS))
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise wrong(f"{call}: item {place}", row, "a mapping of column to value")
    return rows


def blocks_of(section: Section, document: Mapping[str, Any]) -> list[Block]:
    """What a section says: known blocks, tables as wide as their columns."""
    blocks = returned(Section.blocks, section.blocks(document), most=MOST_BLOCKS)
    return _drawable(blocks, "blocks()")


def short_of(section: Section, document: Mapping[str, Any]) -> list[Block]:
    """What a section says in the short report."""
    blocks = returned(Section.in_short, section.in_short(document), most=MOST_BLOCKS)
    return _drawable(blocks, "in_short()")


def _drawable(blocks: Iterable[Block], call: str) -> list[Block]:
    drawn = list(blocks)
    for place, block in enumerate(drawn, start=1):
        if why := flaw(block):
            raise refused(f"{call}: item {place}: {why}")
    return drawn


def exercise_section(section: Section, document: Mapping[str, Any], database: Path) -> list[Block]:
    """All that a section is asked."""
    table_of(section, document, database)
    short_of(section, document)
    return blocks_of(section, document)
