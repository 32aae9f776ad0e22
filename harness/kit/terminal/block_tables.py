"""Tables in a terminal: in the room there is, and stacked where there is none.

Nothing is lost for lack of room: texts are wrapped, spare columns of texts stand below the table,
others are named, and where not even that is enough, each row is a paragraph.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.blocks import DRAWN, WRITTEN, Cell, Column, Table, mark_of, tone_of, written
from harness.kit.drawing import axis_of, bar, forest, sparkline
from harness.kit.numbers import DASH
from harness.kit.text import one_line

LIMIT = 300
"""Characters of a cell."""
WORD = 60
"""Characters of a cell that is never wrapped."""
NAME = 200
"""Characters of a name that is to be copied."""
LEAST = 14
"""Cells that a column of texts needs at least; the first, which names the row, needs more."""
TITLE = 12
"""Cells that a column's title may take, whatever its cells need."""
GAP = 2
DOT = " · "
_LABELS = {"good": "bold green", "open": "bold yellow", "bad": "bold red", "base": "cyan"}
_WIDTHS = {"bar": (8, 16), "span": (14, 24), "trend": (12, 40)}
_COLOURS = {"bar": "blue", "span": "red", "trend": "blue"}


def draw_table(block: Table, room: int) -> Iterator[RenderableType]:
    """The table's rows within so many cells, and what else has to be said of them."""
    rows = block.rows[: block.short]
    columns, left = _kept(block, rows, room)
    if _needed(block, rows, columns) > room or _long_name(block, rows, columns, room):
        for row in rows:
            yield from _stacked(block, row, room)
        return
    yield _grid(block, rows, columns, room)
    texts = [at for at in left if block.columns[at].kind == "text"]
    for at in texts:
        yield from _below(block, rows, at)
    named = [block.columns[at] for at in left if at not in texts]
    names = [_named(column) for column in named if column.kind not in DRAWN and column.title]
    if names:
        yield Text(f"not shown for want of room: {', '.join(names)}", "dim")


def _long_name(
    block: Table, rows: Sequence[tuple[Cell, ...]], columns: Sequence[int], room: int
) -> bool:
    """Whether a name to be copied leaves texts too little room: it then has a line of its own."""
    kinds = [block.columns[at].kind for at in columns]
    most = max(room // 3, LEAST)
    names = [at for at in columns if block.columns[at].kind == "id"]
    return "line" in kinds and any(_widest(block, rows, at) > most for at in names)


def _named(column: Column) -> str:
    """A column's title within a sentence; a round's is no more than its number."""
    title = one_line(column.title, 40)
    return f"column {title}" if title.split(" ")[0].isdigit() and "%" not in title else title


def _kept(block: Table, rows: Sequence[tuple[Cell, ...]], room: int) -> tuple[list[int], list[int]]:
    """Places of the columns that are shown, and of those that are left out."""
    shown = list(range(len(block.columns)))
    while _needed(block, rows, shown) > room:
        spare = max(shown, key=lambda at: (block.columns[at].spare, at))
        if not block.columns[spare].spare:
            break
        shown.remove(spare)
    return shown, [at for at in range(len(block.columns)) if at not in shown]


def _needed(block: Table, rows: Sequence[tuple[Cell, ...]], columns: Sequence[int]) -> int:
    return sum(_least(block, rows, at) for at in columns) + GAP * (len(columns) - 1)


def _least(block: Table, rows: Sequence[tuple[Cell, ...]], at: int) -> int:
    """The cells that a column cannot do without."""
    column = block.columns[at]
    if column.kind in DRAWN:
        return _WIDTHS[column.kind][0]
    widest = _widest(block, rows, at)
    return min(widest, LEAST + 4 * (at == 0)) if column.kind in WRITTEN else widest


def _widest(block: Table, rows: Sequence[tuple[Cell, ...]], at: int) -> int:
    column = block.columns[at]
    lines = (line for row in rows for line in _text(column, row[at]).plain.split("\n"))
    cells = max(map(cell_len, lines), default=0)
    return max([cells, *map(cell_len, _title(column, cells).split("\n"))])


def _title(column: Column, width: int = 0) -> str:
    """A column's title in as many lines as its cells leave it room for."""
    lines = textwrap.wrap(
        one_line(column.title, 60), max(width, TITLE),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(lines)


def _grid(
    block: Table, rows: Sequence[tuple[Cell, ...]], columns: Sequence[int], room: int
) -> Grid:
    drawn = [at for at in columns if block.columns[at].kind in DRAWN]
    used = _needed(block, rows, columns) + sum(
        _widest(block, rows, at) - _least(block, rows, at)
        for at in columns if at not in drawn
    )  # fmt: skip
    slack = max(room - used, 0) // max(len(drawn), 1)
    widths = _shared(block, rows, columns, room)
    grid = Grid(
        box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim",
        show_header=any(block.columns[at].title for at in columns),
    )  # fmt: skip
    for at in columns:
        column = block.columns[at]
        title = Text(_title(column, _widest(block, rows, at)))
        grid.add_column(
            title, justify="right" if column.right else "left", width=widths.get(at),
            no_wrap=column.kind != "text", overflow="ellipsis" if column.kind == "line" else "fold",
        )  # fmt: skip
    pictures = {at: _pictures(block, rows, at, slack) for at in drawn}
    for place, row in enumerate(rows):
        grid.add_row(*(
            pictures[at][place] if at in pictures else _text(block.columns[at], row[at])
            for at in columns
        ))  # fmt: skip
    return grid


def _shared(
    block: Table, rows: Sequence[tuple[Cell, ...]], columns: Sequence[int], room: int
) -> dict[int, int]:
    """The widths of the columns of texts: equal shares of what the others leave, or their need."""
    texts = [at for at in columns if block.columns[at].kind in WRITTEN]
    left = room - GAP * (len(columns) - 1)
    for at in columns:
        if at not in texts:
            drawn = block.columns[at].kind in DRAWN
            left -= _least(block, rows, at) if drawn else _widest(block, rows, at)
    widths: dict[int, int] = {}
    least = {at: _least(block, rows, at) for at in texts}
    for at in sorted(texts, key=lambda at: _widest(block, rows, at)):
        others = [other for other in texts if other not in widths and other != at]
        share = min(left // (len(others) + 1), left - sum(least[other] for other in others))
        widths[at] = min(_widest(block, rows, at), max(share, least[at]))
        left -= widths[at]
    return widths


def _text(column: Column, cell: Cell) -> Text:
    """A cell that is no drawing."""
    if column.kind in DRAWN:
        return Text()
    if isinstance(cell, (tuple, list)):
        first, *below = [one_line(str(line), LIMIT) for line in cell if line] or [""]
        style = "bold" if column.strong else ""
        return Text.assemble((first, style), *((f"\n{line}", "dim") for line in below))
    limit = LIMIT if column.kind in WRITTEN else NAME if column.kind == "id" else WORD
    shown = one_line(DASH if cell is None else written(cell) or "", limit)
    if column.kind == "label" and shown:
        return Text(f"{mark_of(shown)} {shown}", _LABELS[tone_of(shown)])
    quiet = column.kind == "number" and shown == "0"
    return Text(shown, "bold" if column.strong else "dim" if quiet else "")


def _pictures(block: Table, rows: Sequence[tuple[Cell, ...]], at: int, slack: int) -> list[Text]:
    """A column's drawings, on one scale."""
    kind = block.columns[at].kind
    least, most = _WIDTHS[kind]
    width = min(least + slack, most)
    style = _COLOURS[kind]
    if kind == "bar":
        bars = [place for place, column in enumerate(block.columns) if column.kind == "bar"]
        top = max((_number(row[place]) or 0.0 for row in rows for place in bars), default=0.0)
        return [Text(bar(_number(row[at]), top, width), style) for row in rows]
    series = [cell if isinstance(cell := row[at], (tuple, list)) else () for row in rows]
    if kind == "trend":
        return [Text(sparkline(values, width), style) for values in series]
    axis = axis_of(series)
    return [
        Text(forest(values[1], (values[0], values[2]), axis, width) if values else "", style)
        for values in series
    ]


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, (int, float)) else None


def _below(block: Table, rows: Sequence[tuple[Cell, ...]], at: int) -> Iterator[RenderableType]:
    """A column of texts that has no room in the table: each with the name of its row."""
    listed = Grid(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for place in (0, at):
        listed.add_column(
            Text(one_line(block.columns[place].title, 40)), overflow="fold",
            max_width=24 if place == 0 else None,
        )  # fmt: skip
    for row in rows:
        if row[at]:
            cells = (row[0], row[at])
            listed.add_row(*(Text(one_line(written(cell) or "", LIMIT)) for cell in cells))
    if listed.row_count:
        yield listed


def _stacked(block: Table, row: tuple[Cell, ...], room: int) -> Iterator[RenderableType]:
    """A row as a paragraph: its name and its label, then each cell with its column's title."""
    kinds = [column.kind for column in block.columns]
    first = next((at for at, kind in enumerate(kinds) if kind in (*WRITTEN, "word", "id")), 0)
    name = _text(block.columns[first], row[first]).plain or "–"
    numbered = kinds[first] == "word" and name[:1].isdigit()
    title = one_line(block.columns[first].title, 40) if numbered else ""
    if kinds[first] == "id":  # printed whole in a line of its own, so that it can be copied
        line = Text(name, "bold", no_wrap=True)
    else:
        line = Text(" / ".join(f"{title} {name}".strip().split("\n")), "bold")
    facts, lines = [], []
    for at, (column, cell) in enumerate(zip(block.columns, row, strict=True)):
        shown = _text(column, cell)
        if at == first or not shown.plain:
            continue
        if column.kind == "label" and kinds[first] != "id":
            line.append("  ").append_text(shown)
            continue
        colon = ":" if column.kind in WRITTEN else ""
        said = Text(f"{one_line(column.title, 40)}{colon} " if column.title else "", "dim")
        if column.kind == "line":  # "answer / reference" names the two lines of its cell
            texts, names = shown.split("\n"), one_line(column.title, 40).split(" / ")
            if len(texts) != len(names):
                names = [""] * len(texts)
            width = max(map(len, names))
            for part, text in zip(names, texts, strict=True):
                label = Text(f"{part:<{width}}  " if width else "", "dim")
                text.truncate(room - GAP - len(label), overflow="ellipsis")
                lines.append(label.append_text(text))
        else:
            facts.append(said.append_text(Text(" / ").join(shown.split("\n"))))
    yield line
    for fact in [*_joined(facts, room - GAP), *lines]:
        yield Padding(fact, (0, 0, 0, GAP), expand=False)


def _joined(facts: Iterable[Text], room: int) -> list[Text]:
    """Facts side by side, in lines that begin with a whole one."""
    lines: list[Text] = []
    for fact in facts:
        if lines and lines[-1].cell_len + len(DOT) + fact.cell_len <= room:
            lines[-1].append(DOT, "dim").append_text(fact)
        else:
            lines.append(fact)
    return lines
