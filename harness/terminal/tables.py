"""Tables without frames, and text in them that is never more than text."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from harness.kit.text import one_line, plain

WIDE = 110
"""Columns from which texts stand side by side."""
ID_LIMIT = 200
GAP = 2
"""Blanks between two columns."""
DOT = " · "
LEAST = 14
"""Cells that a column of texts needs at least."""
WORD = 24
"""Cells of a word that is never broken; longer ones (ids, paths) are folded."""
BLOCK_LIMIT = 4_000
"""Characters of a whole text that are shown."""


class FittedTable(Table):
    """A table that loses no column unsaid and breaks no word.

    Where the columns have no room side by side, spare ones are left out, one after the other, and
    named below. Where that is not enough, each row becomes a paragraph: its first cell as the
    title, beside it the cells of columns without a title (a verdict), below it the others. No cell
    is read as markup.
    """

    spare: Sequence[str] = ()
    headed = False
    """Whether the first cell of each row stands above the others (:func:`show`)."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(_text, cells), **options)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown, left = copy.copy(self), list[str]()
        widths = _widths(self.columns, options.max_width)
        for title in self.spare if widths is None else ():
            left.append(title)
            shown.columns = [one for one in self.columns if _text(one.header).plain not in left]
            widths = _widths(shown.columns, options.max_width)
            if widths is not None:
                break
        if widths is None:
            yield from self._stacked(options.max_width)
            return
        shown.columns = [
            # Rich finds the padding of a column by its place.
            dataclasses.replace(column, width=width, _index=place)
            for place, (column, width) in enumerate(zip(shown.columns, widths, strict=True))
        ]
        yield from Table.__rich_console__(shown, console, options)
        if left:
            yield Text(f"not shown for want of room: {', '.join(left)}", "dim")

    def _stacked(self, room: int) -> Iterator[RenderableType]:
        for cells in zip(*(column.cells for column in self.columns), strict=True):
            head = Text(style="bold")
            facts = []
            for place, (column, cell) in enumerate(zip(self.columns, cells, strict=True)):
                title = _text(column.header).plain.replace("\n", "")
                colon = "" if column.justify == "right" else ":"
                one_lined = Text(" / ").join(part for part in _text(cell).split("\n") if part.plain)
                if place == 0 or not title.strip():
                    head.append("  " if head and one_lined else "").append_text(one_lined)
                elif one_lined:
                    facts.append(Text.assemble((f"{title}{colon} ", "dim"), one_lined))
            yield head
            for line in _joined(facts, room - GAP):
                yield Padding(line, (0, 0, 0, GAP), expand=False)
        if self.caption:
            yield self.caption


def _widths(columns: Sequence[Column], room: int) -> list[int] | None:
    """The width of each column; None where they have no room side by side."""
    full = [column.width or _widest(column) for column in columns]
    widths = [_least(column) for column in columns]
    slack = room - sum(widths) - GAP * (len(widths) - 1)
    if slack < 0:
        return None
    by_need = sorted(range(len(widths)), key=lambda at: full[at] - widths[at])
    for position, at in enumerate(by_need):
        more = min(full[at] - widths[at], slack // (len(by_need) - position))
        widths[at] += more
        slack -= more
    return widths


def _joined(facts: Iterable[Text], room: int) -> list[Text]:
    """Facts side by side, in lines that begin with a whole one."""
    lines: list[Text] = []
    for fact in facts:
        if lines and lines[-1].cell_len + len(DOT) + fact.cell_len <= room:
            lines[-1].append(DOT, "dim").append_text(fact)
        else:
            lines.append(fact)
    return lines


def _least(column: Column) -> int:
    """The cells that a column cannot do without: numbers are whole, texts keep their words."""
    if column.width or column.no_wrap:
        return column.width or _widest(column)
    texts = map(_text, (column.header, *column.cells))
    words = (cell_len(word) for text in texts for word in text.plain.split())
    return min(_widest(column), max(min(max(words, default=0), WORD), LEAST))


def _text(cell: Any) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def table(*titles: str, right: Iterable[str] = (), spare: Sequence[str] = ()) -> FittedTable:
    """A table with these columns.

    Args:
        right: titles of those that hold numbers.
        spare: titles of those that a narrow terminal may leave out, the first one first.
    """
    made = FittedTable(box=None, pad_edge=False, show_edge=False, header_style="bold")
    made.spare = spare
    for title in titles:
        numbers = title in right
        justify: Any = "right" if numbers else "left"
        made.add_column(Text(title), justify=justify, overflow="fold", no_wrap=numbers)
    return made


def fit(shown: FittedTable, console: Console, widths: Sequence[int], texts: int = 1) -> FittedTable:
    """Give the last columns, which hold one-line texts, the room that the others leave.

    The first column holds ids. Where one is wider than its column all stand in lines of their own,
    so that they can be copied (:func:`show`).

    Args:
        widths: most cells of each other column.
        texts: how many the last ones are.
    """
    shown.headed = _widest(shown.columns[0]) > widths[0]
    columns = shown.columns[shown.headed :]
    others, last = columns[:-texts], columns[-texts:]
    room = console.width - GAP * (len(columns) - 1 + shown.headed)
    for column, most in zip(others, widths[shown.headed :], strict=True):
        column.width = min(most, _widest(column))
        room -= column.width
    for column in last:
        column.overflow, column.no_wrap = "ellipsis", True
        column.width = max(room // texts, LEAST)
    return shown


def show(shown: FittedTable, console: Console) -> None:
    """Print a table that was fitted. An id in a line of its own is never broken, nor cut short."""
    if not shown.headed:
        console.print(shown)
        return
    first, *others = shown.columns
    rows = list(zip(*(column.cells for column in others), strict=True))
    console.print(Text.assemble((_text(first.header).plain, "bold")), highlight=False)
    console.print(_below(others, []))
    for name, row in zip(map(_text, first.cells), rows, strict=True):
        console.print(name, highlight=False, soft_wrap=True)
        console.print(_below(others, [row]))


def _below(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Padding:
    """Some rows of a table, set in; the title where there is none."""
    made = FittedTable(
        box=None, pad_edge=False, show_edge=False, header_style="bold", show_header=not rows
    )
    for column in columns:
        made.add_column(
            column.header, width=column.width, justify=column.justify, overflow=column.overflow,
            no_wrap=column.no_wrap,
        )  # fmt: skip
    for row in rows:
        made.add_row(*row)
    return Padding(made, (0, 0, 0, GAP), expand=False)


def _widest(column: Column) -> int:
    """The cells that the longest line of a column takes."""
    texts = map(_text, (column.header, *column.cells))
    return max(cell_len(line) for text in texts for line in text.plain.split("\n"))


def piece(text: str | None, limit: int, style: str = "") -> Text:
    """The beginning of a text in one line; what is empty is said to be so."""
    line = one_line(text or "", limit)
    return Text(line, style=style) if line else Text("(empty)", style="dim")


def name(text: str | None) -> Text:
    """An id, a file, a category: folded where it is long, so that it can be copied."""
    return Text(one_line(text or "", ID_LIMIT), overflow="fold")


def placed(row: str | None, where: str | None) -> Text:
    """A row's id, and below it where a person finds the row."""
    return Text.assemble(name(row), "\n", (one_line(where or "", ID_LIMIT), "dim"))


def listed(names: Iterable[str]) -> str:
    return ", ".join(one_line(one, 60) for one in names)


def value(found: float | None) -> str:
    """One answer's score."""
    return number(found, abs(found) if found is not None else 0.0)


def span(found: Mapping[str, Any], places: int, *, sign: bool = False) -> str:
    """A figure's value with its interval; a dash where there is none."""
    form = f"{'+' if sign else ''}.{places}f"
    if found["value"] is None:
        return "-"
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:{form}}"
    return f"{found['value']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"


def percent(found: Mapping[str, Any], *, alone: bool = False) -> str:
    """The same for a share, in percent; ``alone`` leaves the interval out."""
    if found["value"] is None:
        return "-"
    text = f"{100 * found['value']:.0f} %"
    if alone or found["low"] is None or found["high"] is None:
        return text
    return f"{text} [{100 * found['low']:.0f}, {100 * found['high']:.0f}]"


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
