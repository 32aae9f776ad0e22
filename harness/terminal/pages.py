"""Markdown in a terminal, with tables that keep all their text."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table


class _Table(TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head = self.header.row.cells if self.header and self.header.row else ()
        shown = Table(
            box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold",
            show_header=any(cell.content for cell in head),
        )  # fmt: skip
        for cell in head:
            shown.add_column(cell.content, overflow="fold")
        for row in self.body.rows if self.body else ():
            shown.add_row(*(cell.content for cell in row.cells))
        yield shown


class Page(Markdown):
    """Renders a Markdown text; links are shown as text."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": _Table,
    }
