"""What every section is made of. All is ``Text``: nothing from data is read as markup."""

from __future__ import annotations

from typing import Any, Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.kit.text import one_line
from harness_reports import figures

Column = tuple[str, Literal["left", "right"]]
"""Heading and justification."""

WIDE = 110
STYLES = {
    "improved": "bold green",
    "no evidence": "bold yellow",
    "regressed": "bold red",
    "baseline": "cyan",
}


def text(value: Any, limit: int = 200, style: str = "") -> Text:
    """Something from the document as harmless text."""
    return Text(one_line(str(value), limit), style=style)


def out(console: Console, thing: Any) -> None:
    console.print(thing, highlight=False)


def indented(console: Console, thing: Any) -> None:
    out(console, Padding(thing, (0, 0, 0, 2), expand=False))


def heading(console: Console, title: str, remark: str = "") -> None:
    console.print()
    line = Text.assemble((title, "bold"), (f"  {one_line(remark, 200)}" if remark else "", "dim"))
    out(console, line)


def columns(*columns: Column, gives_way: tuple[int, ...] = (0,)) -> Table:
    """A table without lines.

    Args:
        gives_way: places of the columns that are wrapped where the terminal is narrow.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, (name, justify) in enumerate(columns):
        fixed = place not in gives_way
        table.add_column(Text(one_line(name, 40)), justify=justify, no_wrap=fixed, overflow="fold")
    return table


def grid() -> Table:
    """Two columns, a short label and the text that belongs to it."""
    found = Table.grid(padding=(0, 2, 0, 0))
    found.add_column(no_wrap=True)
    found.add_column(overflow="fold")
    return found


def label(name: str) -> Text:
    return Text(f"{figures.MARKS.get(name, '?')} {name}", style=STYLES.get(name, ""))


def is_wide(console: Console) -> bool:
    return console.width >= WIDE


def more(console: Console, sentence: str) -> None:
    """What a short table leaves out."""
    indented(console, text(sentence, 300, "dim"))
