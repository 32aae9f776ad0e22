"""Blocks in a terminal. All is ``Text``: nothing from data is read as markup."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.blocks import (
    Answers,
    Block,
    Bullets,
    Chart,
    Code,
    Heading,
    Note,
    Paragraph,
    Passage,
    Table,
    mark_of,
    table_of,
    tone_of,
)
from harness.kit.drawing import LEVELS, shares
from harness.kit.terminal.answers import drawn_answers, passage_text, passage_title
from harness.kit.terminal.block_tables import draw_table
from harness.kit.text import one_line

INDENT = 2
LIMIT = 1_200
"""Characters of a paragraph."""
STYLES = {"good": "bold green", "open": "bold yellow", "bad": "bold red", "base": "cyan"}
_PARTS = {"good": "green", "open": "yellow", "bad": "red", "base": "cyan"}


def draw(block: Block, console: Console) -> None:
    """Print a block of a section, which is set in by two but for its headings."""
    if isinstance(block, Heading):
        _heading(block, console)
    elif isinstance(block, Paragraph):
        out(console, paragraph(block))
    elif isinstance(block, Note):
        out(console, Text(one_line(block.text, LIMIT), "red" if block.failed else "dim"))
    elif isinstance(block, Bullets):
        _bullets(block, console)
    elif isinstance(block, Table):
        draw_rows(block, console, INDENT)
    elif isinstance(block, Chart):
        _chart(block, console)
    elif isinstance(block, Code):
        _code(block, console)
    elif isinstance(block, Passage):
        if block.title:
            out(console, passage_title(block))
        out(console, passage_text(block, console), 2 * INDENT if block.title else INDENT)
    elif isinstance(block, Answers):
        for part in drawn_answers(block, console):
            out(console, part) if part else console.print()


def _code(block: Code, console: Console) -> None:
    """A command behind its lead; several below it, one a line, so that each can be pasted."""
    lines = [one_line(line, 20_000) for line in block.text.split("\n")]
    lead = one_line(block.lead, 200)
    if len(lines) == 1:
        shown = [Text.assemble((f"{lead} " if lead else "", "dim"), (lines[0], "bold"))]
    else:
        shown = [*([Text(lead, "dim")] if lead else []), *(Text(f"  {x}", "bold") for x in lines)]
    for line in shown:
        console.print(line, highlight=False, soft_wrap=True)


def begins(block: object) -> bool:
    """Whether an empty line goes before a block."""
    return isinstance(block, Code) or (isinstance(block, Heading) and block.level > 1)


def out(console: Console, thing: Any, indent: int = INDENT) -> None:
    console.print(Padding(thing, (0, 0, 0, indent), expand=False), highlight=False)


def _heading(block: Heading, console: Console) -> None:
    title, remark = one_line(block.text, LIMIT), one_line(block.remark, 200)
    if block.level == 1:
        badge = Text(f" {mark_of(block.label)} {one_line(block.label, 20).upper()} ")
        badge.stylize(f"{STYLES[block.toned]} reverse")
        out(console, Text.assemble(badge, f"  on {title}"), 0)
        return
    line = Text(title, "bold" if block.level == 2 else "italic")
    line.append(f"  {remark}" if remark else "", "dim")
    out(console, line, 0 if block.level == 2 else INDENT)


def paragraph(block: Paragraph) -> Text:
    line = Text()
    if block.label:
        shown = f"{mark_of(block.label)} {one_line(block.label, 30)} "
        line.append(shown, STYLES[tone_of(block.label)])
    if block.lead:
        line.append(one_line(block.lead, LIMIT), "bold")
        line.append((" " if block.lead.endswith(":") else "  ") if block.text else "")
    line.append(one_line(block.text, LIMIT))
    return line.append(f"\n{one_line(block.detail, LIMIT)}" if block.detail else "", "dim")


def _bullets(block: Bullets, console: Console) -> None:
    shown = block.items[: block.short]
    listed = Grid.grid(padding=(0, 2, 0, 0))
    listed.add_column(no_wrap=True)
    listed.add_column(overflow="fold")
    for place, item in enumerate(shown, 1):
        listed.add_row(Text(f"{place}." if block.numbered else "·", "dim"), paragraph(item))
    if shown:
        out(console, listed)
    more(console, len(block.items) - len(shown), block.rest)


def more(console: Console, count: int, rest: str, indent: int = INDENT) -> None:
    """How much a list or a table leaves out, and what that is."""
    if count > 0:
        line = f"and {count} more{f', {one_line(rest, 300)}' if rest else ''}"
        out(console, Text(line, "dim"), indent)


def draw_rows(block: Table, console: Console, indent: int = 0) -> None:
    """Print a table."""
    for part in draw_table(block, console.width - indent):
        if isinstance(part, Text) and part.no_wrap:  # a name to be copied
            console.print(Text(" " * indent).append_text(part), highlight=False, soft_wrap=True)
        else:
            out(console, part, indent)
    more(console, len(block.rows) - len(block.rows[: block.short]), block.rest, indent)


def _chart(block: Chart, console: Console) -> None:
    if block.kind == "shares":
        _shares(block, console)
    elif not block.redundant:
        out(console, Text(one_line(block.title, 200), "italic"))
        draw_rows(table_of(block), console, INDENT)


def _shares(block: Chart, console: Console) -> None:
    """One bar of the whole, and what its parts are."""
    points = [point for series in block.series for point in series.points]
    total = sum(point.value for point in points) or 1
    counts = [round(10_000 * point.value / total) for point in points]
    line, legend = Text(), [Text()]
    width = min(console.width - 2 - INDENT, 96)
    for place, (point, size) in enumerate(zip(points, shares(counts, width), strict=True)):
        mark, style = LEVELS[place % len(LEVELS)], _PARTS[point.tone]
        line.append(mark * size, style)
        name = one_line(str(point.at), 24)
        entry = Text.assemble((f"{mark} ", style), f"{name} ", (f"{point.value:g}", "bold"))
        if legend[-1] and legend[-1].cell_len + entry.cell_len + 2 > console.width - INDENT:
            legend.append(Text())
        legend[-1].append("  " if legend[-1] else "").append_text(entry)
    out(console, Text("\n").join([line, *legend]))
