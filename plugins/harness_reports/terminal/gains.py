"""Answers that got better, and the worst that did not: the base model's over the best round's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.numbers import number
from harness.kit.text import one_line
from harness.terminal.blocks import out
from harness_reports.figures import Document
from harness_reports.sections import Gains

Overflow = Literal["ellipsis", "fold"]
WANTED = "wanted"
ID = 24
"""Cells of an id."""
LEAST = 20
"""Cells of an answer that stands beside its id and score."""
LIMIT = 600
"""Characters of an answer."""
GAPS = 6
"""Cells of the indentation and between the columns."""


def draw_gains(block: Gains, console: Console, overflow: Overflow) -> None:
    """Print the answers.

    Args:
        overflow: what becomes of a text that has no room in one line: cut, or wrapped.
    """
    rows = [line for row in block.better for line in _lines(row, block.kept_round)]
    if block.not_better:
        rows += _worst(block.not_better, block.kept_round)
    names = min(max((cell_len(one_line(name)) for name, *_ in rows), default=0), ID)
    room = console.width - names - len(WANTED) - GAPS
    shown = Grid.grid(padding=(0, 2, 0, 0))
    if room >= LEAST:
        shown.add_column(overflow=overflow, no_wrap=overflow == "ellipsis", width=names)
    shown.add_column(no_wrap=True, justify="right", width=len(WANTED))
    shown.add_column(overflow=overflow, no_wrap=overflow == "ellipsis", max_width=max(room, LEAST))
    for name, score, text in rows:
        title, told = Text(one_line(name, 200)), (Text(score, "dim"), _text(text))
        if room < LEAST and name:
            shown.add_row(Text(), title)
        shown.add_row(*(told if room < LEAST else (title, *told)))
    if rows:
        out(console, shown)


def _worst(row: Document, kept: int) -> Iterator[tuple[str, str, str]]:
    """The same of an answer that did not get better, once where it stayed; and what was wanted."""
    lines = list(_lines(row, kept))
    if lines[0][1:] == lines[-1][1:]:
        lines = lines[:1]
    yield from lines
    yield "", WANTED, row["reference"]


def _text(text: str) -> Text:
    line = one_line(text, LIMIT)
    return Text(line) if line else Text("(empty)", style="italic dim")


def _lines(row: Document, kept: int) -> Iterator[tuple[str, str, str]]:
    """Id, score and answer of the base model, then of the best round."""
    by_round = {one["round"]: one for one in row["answers"]}
    name = row["id"]
    for at in dict.fromkeys((0, kept)):
        if one := by_round.get(at):
            yield name, number(one["score"], 2), one["text"]
            name = ""
    if not by_round:
        yield name, number(row["score"], 2), row["answer"]
