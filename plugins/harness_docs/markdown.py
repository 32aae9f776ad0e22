"""Markdown in a terminal, with tables that keep all their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.terminal.tables import GAP


class _Table(TableElement):
    """Words are never broken: where they have no room side by side, rows become paragraphs."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = [
            cell.content
            for cell in (self.header.row.cells if self.header and self.header.row else ())
        ]
        rows = [
            [cell.content for cell in row.cells] for row in (self.body.rows if self.body else ())
        ]
        columns = list(zip(heads, *rows, strict=False))
        least = [
            max(cell_len(word) for text in column for word in ["", *text.plain.split()])
            for column in columns
        ]
        room = options.max_width - GAP * (len(columns) - 1)
        if sum(least) > room:
            for row in rows:
                first, *others = row
                yield Text.assemble(first, style="bold")
                for head, text in zip(heads[1:], others, strict=False):
                    yield Padding(Text.assemble((f"{head.plain}: ", "dim"), text), (0, 0, 0, GAP))
            return
        grid = Grid(
            box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold",
            show_header=any(heads),
        )  # fmt: skip
        whole = [max(text.cell_len for text in column) for column in columns]
        for head, width in zip(heads, _narrowed(whole, least, room), strict=True):
            grid.add_column(head, width=width, overflow="fold")
        for row in rows:
            grid.add_row(*row)
        yield grid


def _narrowed(whole: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit: the widest column that still can gives a cell, until all have room.

    Rich narrows columns below their least width, and then cuts what does not fit.
    """
    widths = list(whole)
    while sum(widths) > room:
        at = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        widths[at] -= 1
    return widths


class Page(Markdown):
    """Renders a Markdown text; links are shown as text."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": _Table,
    }
