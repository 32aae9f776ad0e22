"""Lines that commands print, and figures in them; text is never more than text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.kit.text import one_line, plain

WIDE = 110
"""Columns from which texts stand side by side."""
ID_LIMIT = 200
GAP = 2
"""Blanks between two columns."""
DOT = " · "
BLOCK_LIMIT = 4_000
"""Characters of a whole text that are shown."""


def listed(names: Iterable[str]) -> str:
    return ", ".join(one_line(name, 60) for name in names)


def value(score: float | None) -> str:
    """One answer's score."""
    return number(score, abs(score) if score is not None else 0.0)


def span(bounds: Mapping[str, Any], places: int, *, sign: bool = False) -> str:
    """A figure's value with its interval; a dash where there is none."""
    form = f"{'+' if sign else ''}.{places}f"
    if bounds["value"] is None:
        return "-"
    if bounds["low"] is None or bounds["high"] is None:
        return f"{bounds['value']:{form}}"
    return f"{bounds['value']:{form}} [{bounds['low']:{form}}, {bounds['high']:{form}}]"


def percent(bounds: Mapping[str, Any], *, alone: bool = False) -> str:
    """The same for a share, in percent; ``alone`` leaves the interval out."""
    if bounds["value"] is None:
        return "-"
    text = f"{100 * bounds['value']:.0f} %"
    if alone or bounds["low"] is None or bounds["high"] is None:
        return text
    return f"{text} [{100 * bounds['low']:.0f}, {100 * bounds['high']:.0f}]"


def head(console: Console, text: str) -> None:
    """The title of a part, with a free line before it."""
    console.print()
    console.print(Text(one_line(text, ID_LIMIT), style="bold"), highlight=False)


def block(console: Console, text: str | Text, style: str = "") -> None:
    """A text with its lines, set in by two."""
    shown = Text(plain(text, BLOCK_LIMIT), style=style) if isinstance(text, str) else text
    shown = shown if shown.plain.strip() else Text("(empty)", style="dim")
    console.print(Padding(shown, (0, 0, 0, 2), expand=False), highlight=False)


def note(console: Console, text: str, style: str = "") -> None:
    """A sentence, wrapped at the terminal's edge."""
    console.print(Text(one_line(text, 2_000), style=style), highlight=False)


def item(console: Console, text: str) -> None:
    """One line of a list, set in by two."""
    shown = Padding(Text(one_line(text, 2_000)), (0, 0, 0, 2), expand=False)
    console.print(shown, highlight=False)


def next_command(console: Console, command: str) -> None:
    """What to type next; never broken, so that it can be copied."""
    line = Text.assemble(("next: ", "dim"), one_line(command, 400))
    console.print(line, highlight=False, soft_wrap=True)


def number(value: float | None, scale: float, *, sign: bool = False, fewer: int = 0) -> str:
    """A score with as many places as its size deserves; a dash where there is none.

    Args:
        scale: the greatest value beside it, which decides the places.
        fewer: places that are left out for want of room.
    """
    if value is None:
        return "-"
    places = max(0, (4 if scale <= 1 else 2 if scale < 1000 else 0) - fewer)
    return f"{value:{'+' if sign else ''},.{places}f}"
