"""The short report, kept to one screen whatever the run looks like."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.kit.blocks import Table
from harness.terminal.blocks import INDENT, begins
from harness_reports.sections import Gains, Shown

LINES, WIDTH = 40, 80
"""What a screen holds of a report; a narrower one scrolls."""
LEAST = 4
"""Lines that a part of the report has at least, where it has as many."""
FEWER = 2
"""Answers that got better, and rows of a table that shows its first ones, where room is short."""

Draw = Callable[[Shown, Console], None]


def print_screen(blocks: Sequence[Shown], console: Console, draw: Draw, whole: str) -> None:
    """Print them in at most :data:`LINES` lines, if the console has :data:`WIDTH` columns.

    Where there is no room the empty lines between the parts give way, the last ones first; then
    all but the first answers; then all but the first rows of tables; then the ends of the longest
    parts, each with a line that says so. Commands are never cut.

    Args:
        whole: the command that shows all; where it has no room in one line, that of the last part
            is referred to.
    """
    parts = _parts(blocks)
    if console.width < WIDTH:
        _print(parts, console, draw, len(parts) - 1, {}, whole)
        return
    sizes = [_size(part, console, draw) for part in parts]
    gaps = LINES - sum(sizes)
    for fewer in (_fewer_answers, _fewer_rows):
        if gaps < 0:
            parts = [[fewer(block) for block in part] for part in parts]
            sizes = [_size(part, console, draw) for part in parts]
            gaps = LINES - sum(sizes)
    room = _room(sizes[:-1], LINES - sizes[-1])
    _print(parts, console, draw, min(max(gaps, 0), len(parts) - 1), room, whole)


def _parts(blocks: Iterable[Shown]) -> list[list[Shown]]:
    """The blocks before the first heading, then those of each; the commands are the last."""
    parts: list[list[Shown]] = [[]]
    for block in blocks:
        if begins(block):
            parts.append([])
        parts[-1].append(block)
    return parts


def _size(part: Sequence[Shown], console: Console, draw: Draw) -> int:
    """Lines of a terminal of this width; it breaks commands, which are printed in one line."""
    return sum(
        max(1, -(-cell_len(line) // console.width)) for line in _drawn(part, console, draw, True)
    )


def _drawn(part: Sequence[Shown], console: Console, draw: Draw, plain: bool = False) -> list[str]:
    """A part's lines, with the codes of its colours unless they are to be plain."""
    page = Console(width=console.width, color_system=None) if plain else console
    with page.capture() as captured:
        for block in part:
            draw(block, page)
    return captured.get().split("\n")[:-1]


def _room(sizes: Sequence[int], most: int) -> dict[int, int]:
    """Place of each part that has to be cut -> its lines, so that all have at most ``most``."""
    room = list(sizes)
    while sum(room) > most:
        longest = max(range(len(room)), key=room.__getitem__)
        if room[longest] <= LEAST:
            break
        room[longest] -= 1
    return {at: lines for at, lines in enumerate(room) if lines < sizes[at]}


def _print(
    parts: Sequence[Sequence[Shown]], console: Console, draw: Draw, gaps: int,
    room: dict[int, int], whole: str,
) -> None:  # fmt: skip
    for place, part in enumerate(parts):
        if 0 < place <= gaps:
            console.print()
        if place not in room:
            for block in part:
                draw(block, console)
            continue
        lines, kept = _drawn(part, console, draw), room[place] - 1
        for line in lines[:kept]:
            console.print(Text.from_ansi(line), highlight=False, soft_wrap=True)
        left = f"{' ' * INDENT}… {len(lines) - kept} more lines"
        told = f"{left}: {whole}"
        if cell_len(told) > console.width:
            told = f"{left} in the whole report (its command is at the end)"
        console.print(Text(told, "dim"), highlight=False)


def _fewer_answers(block: Shown) -> Shown:
    if isinstance(block, Gains):
        return dataclasses.replace(block, better=block.better[:FEWER])
    return block


def _fewer_rows(block: Shown) -> Shown:
    if isinstance(block, Table) and block.short is not None:
        return dataclasses.replace(block, short=min(block.short, FEWER))
    return block
