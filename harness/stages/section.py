"""The stage that adds a section to every report: section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from harness.boundary.results import each, refused, returned, wrong
from harness.kit.blocks import Block, Heading, flaw, of_rows, to_json
from harness.kit.documents import finite
from harness.kit.text import one_line
from harness.records.analysis import Analysis, CellValue, ShownSection
from harness.stages.base import Plugin

MOST_ROWS = 100_000
"""Rows of one section."""
MOST_SHOWN = 50
"""Rows of it that reports show."""
MOST_BLOCKS = 500
"""Blocks of one section."""


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

    def rows(self, document: Analysis, database: Path) -> Sequence[Mapping[str, Any]]:
        """The rows of the table; all have the keys of the first, whose order is the columns'.

        Args:
            document: the analysis so far.
            database: the run's ``run.duckdb``; ``harness.query(database, sql)`` asks it.
        """
        return ()

    def blocks(self, document: Analysis) -> Iterable[Block]:
        """What the section says, by the records of :mod:`harness.kit.blocks`.

        The default is the table of :meth:`rows`. Texts are plain, whatever they hold; a section
        that begins with no heading gets its ``title``. Nothing leaves the section out.

        Args:
            document: the analysis; what :meth:`rows` gave is the last of its ``sections``.
        """
        for said in document.sections:
            if said.name == self.name:
                return of_rows(said.title, said.columns, said.rows, said.cut)
        return ()

    def in_short(self, document: Analysis) -> Iterable[Block]:
        """What the section says in the short report, which a terminal shows first.

        The default is nothing.
        """
        return ()


def table_of(section: Section, document: Analysis, database: Path) -> list[Mapping[str, Any]]:
    """The rows of a section's table, whose cells may be anything that has a text."""
    call = "rows()"
    rows = list(each(section.rows(document, database), call, "mappings", MOST_ROWS))
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise wrong(f"{call}: item {place}", row, "a mapping of column to value")
    return rows


def blocks_of(section: Section, document: Analysis) -> list[Block]:
    """What a section says: known blocks, tables as wide as their columns."""
    blocks = returned(Section.blocks, section.blocks(document), most=MOST_BLOCKS)
    return _drawable(blocks, "blocks()")


def short_of(section: Section, document: Analysis) -> list[Block]:
    """What a section says in the short report."""
    blocks = returned(Section.in_short, section.in_short(document), most=MOST_BLOCKS)
    return _drawable(blocks, "in_short()")


def _drawable(blocks: Iterable[Block], call: str) -> list[Block]:
    drawn = list(blocks)
    for place, block in enumerate(drawn, start=1):
        if why := flaw(block):
            raise refused(f"{call}: item {place}: {why}")
    return drawn


def said_with(section: Section, document: Analysis, database: Path) -> ShownSection:
    """What a section says, which may ask the run's database: its table, then all that is drawn.

    A cell of the table is a number, or a text in one line.
    """
    rows = table_of(section, document, database)
    columns = list(rows[0]) if rows else []
    table = ShownSection(
        section.name, _title(section), section.order,
        tuple(one_line(str(name), 80) for name in columns),
        tuple(tuple(_cell(row.get(name)) for name in columns) for row in rows[:MOST_SHOWN]),
        cut=len(rows) > MOST_SHOWN,
    )  # fmt: skip
    said = drawn(section, replace(document, sections=(*document.sections, table)))
    return replace(table, blocks=said.blocks, in_short=said.in_short)


def _cell(value: Any) -> CellValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return finite(float(value))
    return one_line(str(value), 300)


def drawn(section: Section, document: Analysis) -> ShownSection:
    """What a section draws from the document: its blocks, which begin with a heading, and what it
    says in short."""
    title, blocks = _title(section), blocks_of(section, document)
    if title and blocks and not isinstance(blocks[0], Heading):
        blocks.insert(0, Heading(title))
    short = short_of(section, document)
    return ShownSection(
        section.name, title, section.order,
        blocks=tuple(map(to_json, blocks)), in_short=tuple(map(to_json, short)),
    )  # fmt: skip


def _title(section: Section) -> str:
    return one_line(section.title, 120)


def exercise_section(section: Section, document: Analysis, database: Path) -> list[Any]:
    """All that a section is asked, in the order in which a report asks it."""
    said = said_with(section, document, database)
    if section.always and said.blocks and not blocks_of(section, document):
        raise refused(
            "it shows its rows() alone, which is not asked of a section with `always = True`: "
            "give blocks() that draw from the document, or let the config name it"
        )
    return [*said.blocks, *said.in_short]
