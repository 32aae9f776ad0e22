"""Sections of plugins: a table each, whatever it holds."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from harness_reports.figures import Document
from harness_reports.terminal.pieces import Column, columns, heading, indented, more, text


def render(document: Document, console: Console) -> None:
    """A heading and a table for each; numbers stand to the right."""
    for section in document.get("sections", ()):
        heading(console, section["title"])
        rows = section["rows"]
        heads: list[Column] = [
            (name, "right" if _numbers(rows, place) else "left")
            for place, name in enumerate(section["columns"])
        ]
        table = columns(*heads, gives_way=tuple(range(len(heads))))
        for row in rows:
            table.add_row(*(_cell(value) for value in row))
        indented(console, table if rows else Text("nothing to show", "dim"))
        if section["cut"]:
            more(console, "and more rows")


def _numbers(rows: list[list[Any]], place: int) -> bool:
    return all(isinstance(row[place], int | float | None) for row in rows)


def _cell(value: Any) -> Text:
    if isinstance(value, float):
        return Text(f"{value:.4g}")
    return text("-" if value is None else value, 80)
