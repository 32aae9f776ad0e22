"""Markdown in a terminal, with tables that keep all their text."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from harness.terminal.tables import GAP


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
        widths = [
            max(cell_len(word) for text in column for word in ["", *text.plain.split()])
            for column in zip(heads, *rows, strict=False)
        ]
        if sum(widths) + GAP * (len(widths) - 1) > options.max_width:
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
        for head, width in zip(heads, widths, strict=True):
            grid.add_column(head, min_width=width, overflow="fold")
        for row in rows:
            grid.add_row(*row)
        yield grid


class Page(Markdown):
    """Renders a Markdown text; links are shown as text."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": _Table,
    }
