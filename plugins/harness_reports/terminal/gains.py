"""Answers that got better, and the worst that did not: the base model's over the best round's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.numbers import number
from harness.kit.text import lines, one_line
from harness.terminal.blocks import out
from harness_reports.figures import Document
from harness_reports.sections import Gains

WANTED = "wanted"
ID = 200
"""Characters of an id."""
LIMIT = 600
"""Characters of an answer."""
LINES = 8
"""Lines of an answer that has line breaks of its own, such as code."""


def draw_gains(block: Gains, console: Console) -> None:
    """Print each id in a line of its own, so that it can be copied, and the answers below it."""
    for row in block.better:
        _draw(row["id"], _sides(block, row), console)
    if worst := block.not_better:
        # An answer that stayed stands once.
        sides = dict.fromkeys(_sides(block, worst))
        _draw(worst["id"], (*sides, (WANTED, worst["reference"])), console)


def _draw(name: str, sides: Iterable[tuple[str, str]], console: Console) -> None:
    out(console, Text(one_line(name, ID), "bold"))
    shown = Grid.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True, justify="right", width=len(WANTED))
    shown.add_column(overflow="fold")
    for score, text in sides:
        shown.add_row(Text(score, "dim"), _text(text))
    out(console, shown)


def _sides(block: Gains, row: Document) -> Iterator[tuple[str, str]]:
    for answer in block.answers(row):
        yield number(answer["score"], 2), answer["text"]


def _text(text: str) -> Text:
    shown = lines(text, LIMIT, LINES)
    return Text(shown) if shown else Text("(empty)", style="italic dim")
