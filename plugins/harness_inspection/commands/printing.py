"""What several of the commands print."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.kit.text import one_line
from harness.terminal.tables import FittedTable, fit, piece, placed, table

Document = Mapping[str, Any]


def write_json(document: Document) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")


VALUE = 40
"""Characters of a value of the configuration."""


def setting(value: Any) -> Text:
    """A value of the configuration, a dash where there is none."""
    if value is None:
        return Text("-", style="dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(one_line(text, VALUE))


def why_command(name: str, run: str | None) -> str:
    """The command that shows one row; an id that looks like an option is kept from being one."""
    guard = ["--"] if name.startswith("-") else []
    return shlex.join(["harness", "why", *guard, name, *([run] if run else [])])


def train_rows(rows: Sequence[Document], console: Console, *numbers: str) -> FittedTable:
    """Training rows: where they stand, what they ask, and below it what they teach.

    Args:
        numbers: keys of the rows to show as columns before the texts.
    """
    shown = table("row, and where", *numbers, "prompt, and below what it teaches", right=numbers)
    for row in rows:
        values = (row.get(key) for key in numbers)
        teaches = piece(row.get("reference"), console.width, "green")
        shown.add_row(
            placed(row["id"], row.get("place") or row.get("split") or "not among the rows"),
            *(f"{value:.2f}" if isinstance(value, float) else str(value) for value in values),
            Text.assemble(piece(row.get("prompt"), console.width), "\n", teaches),
        )
    return fit(shown, console, (console.width // 2, *map(len, numbers)))
