"""Stages that tell people: reporter, section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.boundary.lending import copied
from harness.boundary.results import each, paths, refused, returned, wrong
from harness.kit.blocks import Block, Heading, flaw, of_rows, to_json
from harness.kit.documents import finite
from harness.kit.text import one_line
from harness.stages.base import Plugin

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 100_000
"""Rows of one section."""
MOST_SHOWN = 50
"""Rows of it that reports show."""
MOST_BLOCKS = 500
"""Blocks of one section."""


class Reporter(Plugin):
    """Writes a report from the analysis document (``harness docs analysis``)."""

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
            document: a ``harness.runs/1`` document.

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
) -> list[Path] | bool:
    """All that a reporter is asked: its files, or whether it shows anything without one."""
    shown = reporter.show(document, console)
    return written(reporter, document, folder) or bool(shown)


class Section(Plugin):
    """A section of every report: a table under a title, or blocks of any kind.

    Attributes:
        title: its heading.
        order: sections stand by rising numbers. Those of our reports have the hundreds from 100
            (the verdict) to 2600 (commands to type next); ``docs/plugins/section.md`` lists them.
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
        for section in document.get("sections") or ():
            if section["name"] == self.name:
                return of_rows(
                    section["title"], section["columns"], section["rows"], section["cut"]
                )
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


def head(section: Section) -> dict[str, Any]:
    """Its entry among the sections of a document, before it has said anything."""
    return {
        "name": section.name,
        "title": one_line(section.title, 120),
        "order": section.order,
        "columns": [],
        "rows": [],
        "cut": False,
    }


def entry_of(document: Mapping[str, Any], section: Section, database: Path) -> dict[str, Any]:
    """Its entry among the sections of a document: the table, then all that is drawn.

    A cell of the table is a number, or a text in one line.
    """
    entry, rows = head(section), table_of(section, copied(document), database)
    columns = list(rows[0]) if rows else []
    entry |= {
        "columns": [one_line(str(name), 80) for name in columns],
        "rows": [[_cell(row.get(name)) for name in columns] for row in rows[:MOST_SHOWN]],
        "cut": len(rows) > MOST_SHOWN,
    }
    sections = [*document.get("sections", ()), entry]
    return entry | drawn(section, copied({**document, "sections": sections}))


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return finite(float(value))
    return one_line(str(value), 300)


def drawn(section: Section, document: Mapping[str, Any]) -> dict[str, Any]:
    """Its blocks, which begin with a heading, and what it says in short.

    Args:
        document: a copy, which is the section's own.
    """
    blocks = blocks_of(section, document)
    title = one_line(section.title, 120)
    if title and blocks and not isinstance(blocks[0], Heading):
        blocks.insert(0, Heading(title))
    short = short_of(section, document)
    return {"blocks": list(map(to_json, blocks)), "in_short": list(map(to_json, short))}


def exercise_section(section: Section, document: Mapping[str, Any], database: Path) -> list[Any]:
    """All that a section is asked, in the order in which a report asks it."""
    entry = entry_of(document, section, database)
    if section.always and entry["blocks"] and not blocks_of(section, copied(document)):
        raise refused(
            "it shows its rows() alone, which is not asked of a section with `always = True`: "
            "give blocks() that draw from the document, or let the config name it"
        )
    return [*entry["blocks"], *entry["in_short"]]
