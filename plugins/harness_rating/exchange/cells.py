"""Cells of sheets: values as spreadsheets take them, without a formula among them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.kit.text import plain
from harness_rating.rubric.scales import label

CANNOT_JUDGE = "cannot-judge"
GUARDED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")
"""How a cell begins whose first apostrophe is not part of the text."""
COLUMNS = (
    "batch", "rubric", "rater", "item", "kind", "criterion", "value", "at", "seconds",
    "example", "arm", "rounds", "split", "repeat_of", "prompt", "answer_a", "answer_b",
)  # fmt: skip


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as a sheet that spreadsheets open without running anything."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return stream.getvalue().encode()


def cell(value: Any) -> str | int | float:
    """A value for a cell: no formula, and told apart from a text that begins as a guarded one."""
    from harness.kit.cells import as_cell

    shown = as_cell(value)
    return f"'{shown}" if isinstance(value, str) and GUARDED.match(plain(value)) else shown


def cell_value(value: Any) -> Any:
    """A value for a cell: ``yes``, a number, a text, a JSON list of choices, or nothing."""
    if isinstance(value, (list, tuple)):
        return json.dumps(list(value), ensure_ascii=False)
    return label(value) if isinstance(value, bool) else value
