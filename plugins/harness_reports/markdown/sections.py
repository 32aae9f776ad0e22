"""Sections of plugins: a table each, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness_reports.figures import Document
from harness_reports.markdown.pieces import safe, section, table


def sections(document: Document) -> Iterator[str]:
    """A heading and a table for each."""
    for found in document.get("sections", ()):
        rows = [[_cell(value) for value in row] for row in found["rows"]]
        right = {
            place
            for place in range(len(found["columns"]))
            if all(isinstance(row[place], int | float | None) for row in found["rows"])
        }
        body = table([safe(name) for name in found["columns"]], rows, right) if rows else "Nothing."
        yield section(safe(found["title"]), body, "There are more rows." if found["cut"] else "")


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else safe("-" if value is None else value)
