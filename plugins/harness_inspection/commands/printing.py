"""What several of the commands print."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import to_json
from harness.kit.blocks import Cell, Column, Table
from harness.kit.numbers import DASH
from harness.kit.text import one_line

if TYPE_CHECKING:
    from harness_inspection.lineage import TrainRow

Document = Mapping[str, Any]


def write_json(document: Any) -> None:
    """One JSON document, or record, on standard output."""
    sys.stdout.write(json.dumps(to_json(document), indent=1, allow_nan=False) + "\n")


EMPTY = "(empty)"
VALUE = 40
"""Characters of a value of the configuration."""


def setting(value: Any) -> str:
    """A value of the configuration, a dash where there is none."""
    if value is None:
        return DASH
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, VALUE)


def why_command(name: str, run: str | None) -> str:
    """The command that shows one row; an id that looks like an option is kept from being one."""
    guard = ["--"] if name.startswith("-") else []
    return shlex.join(["harness", "why", *guard, name, *([run] if run else [])])


def train_rows(rows: Sequence[TrainRow], title: str = "", numbers: Sequence[str] = ()) -> Table:
    """Training rows: where they stand, what they ask, and below it what they teach.

    Args:
        title, numbers: a column before the texts, with a number for each row.
    """
    columns = [Column("row", "id"), Column("where"), Column("prompt / what it teaches", "line")]
    cells: list[list[Cell]] = [
        [
            row.id,
            row.place or row.split or "not among the rows",
            (row.prompt or EMPTY, row.reference or EMPTY),
        ]
        for row in rows
    ]
    if title:
        columns.insert(1, Column(title, "number"))
        for line, number in zip(cells, numbers, strict=True):
            line.insert(1, number)
    return Table(tuple(columns), tuple(map(tuple, cells)), "training rows")
