"""What a section of a report is made of: headings, paragraphs, tables, charts, and a few more.

A section says what there is to read; each report draws it in its own way: a terminal in the width
that it has, Markdown without pictures, the page with drawings. All texts are plain: whatever
stands in them is shown as it is, and no report takes it for markup.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from harness.kit.numbers import DASH
from harness.kit.text import plain
from harness.kit.worddiff import Kind
from harness.records.analysis import Analysis
from harness.records.plain import from_json as record_from_json, to_json as record_to_json

Tone: TypeAlias = Literal["good", "bad", "open", "base"]
LABELS: Mapping[str, tuple[str, Tone]] = {
    "improved": ("▲", "good"), "no evidence": ("◆", "open"), "regressed": ("▼", "bad"),
    "baseline": ("○", "base"), "control": ("·", "base"),
    "held": ("✓", "good"), "broken": ("✗", "bad"), "cannot be judged": ("?", "open"),
    "reached": ("✓", "good"), "not reached": ("✗", "bad"),
}  # fmt: skip
"""Words that stand with a mark and in a colour wherever they are a label."""


def mark_of(label: str) -> str:
    """The mark of a label, so that colour is never all that tells."""
    return LABELS.get(label, ("?", "open"))[0]


def tone_of(label: str) -> Tone:
    return LABELS.get(label, ("?", "open"))[1]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the section (level 2) or of a part of it (level 3).

    Attributes:
        remark: what stands beside it, less loud.
        label: one of :data:`LABELS`; the report's own first line has one.
        tone: the label's colour, where the text says what stands against it; empty: its own.
    """

    text: str
    remark: str = ""
    level: Literal[1, 2, 3] = 2
    label: str = ""
    tone: Tone | Literal[""] = ""

    @property
    def toned(self) -> Tone:
        """The colour that the label has here."""
        return self.tone or tone_of(self.label)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences.

    Attributes:
        lead: what stands before them in bold.
        label: one of :data:`LABELS`, before all else.
        detail: what belongs to them and may be read later.
    """

    text: str
    lead: str = ""
    label: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark in small letters; ``failed``: what could not be found out."""

    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list.

    Attributes:
        short: how many a short report shows; None shows all.
        rest: what the others are, as *rarer*.
        folded: what they are, where the page folds them away because a table or a drawing beside
            them has the same figures; reports that fold nothing show them all the same.
    """

    items: tuple[Paragraph, ...]
    numbered: bool = False
    short: int | None = None
    rest: str = ""
    folded: str = ""


ColumnKind: TypeAlias = Literal[
    "text", "line", "word", "id", "number", "label", "bar", "span", "trend"
]
WRITTEN = ("text", "line")
"""Kinds of columns whose cells may be several texts."""
DRAWN = ("bar", "span", "trend")
"""Kinds of columns that are drawn from letters; the page, which has charts, leaves them out."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        kind: ``text`` is wrapped where there is no room, ``line`` is cut there; a tuple of texts
            in either has a line for each, those below the first less loud. ``word`` and
            ``number`` are never wrapped, nor is ``id``, a name to be copied, which may be long.
            ``label`` is one of :data:`LABELS`. Drawn: ``bar``, a number (all bars of a table
            have one scale); ``span``, low, value and high on an axis with a mark at zero;
            ``trend``, numbers in their order.
        align: where its cells stand; None: numbers to the right.
        spare: 0 = always shown. Where a terminal is too narrow, the columns with the highest
            number are left out first, and it says so.
        strong: whether its cells are bold.
    """

    title: str
    kind: ColumnKind = "text"
    align: Literal["left", "right"] | None = None
    spare: int = 0
    strong: bool = False

    @property
    def right(self) -> bool:
        """Whether its cells stand to the right."""
        return (self.align or ("right" if self.kind == "number" else "left")) == "right"


Cell: TypeAlias = str | int | float | tuple[Any, ...] | None  # of texts, or of numbers


def written(cell: Cell) -> str | None:
    """What a cell that is not drawn says, in one text; None where it has no value."""
    if isinstance(cell, (tuple, list)):
        return " / ".join(str(line) for line in cell if line)
    return cell if cell is None else f"{cell:.4g}" if isinstance(cell, float) else str(cell)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. The first column names the row.

    Attributes:
        caption: what it shows, for those who do not see it.
        short: how many rows a short report shows; None shows all.
        rest: what the others are, as *rarer*.
        ordered: its order says something, so the page does not offer another.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    short: int | None = None
    rest: str = ""
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a chart.

    Attributes:
        at: where: a number (a step, a round), or a name.
        strong: filled, where others are hollow.
        tip: what is said of it in words.
    """

    at: str | float
    value: float
    low: float | None = None
    high: float | None = None
    strong: bool = False
    tip: str = ""
    tone: Tone = "base"


@dataclass(frozen=True, slots=True)
class Series:
    """Values that belong together; ``name`` may be empty where there is but one series."""

    name: str
    points: tuple[Point, ...]


ChartKind: TypeAlias = Literal[
    "rounds", "curve", "bars", "gaps", "histogram", "shares", "scatter", "parallel"
]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing. Where none can be made, it is a table.

    Attributes:
        kind: ``rounds``: a value by round, each in its interval. ``curve``: a line by step; a
            second series is dots. ``bars``: lying bars by name, one for each series. ``gaps``:
            points in their intervals by name, on an axis with a mark at zero. ``histogram``:
            standing bars; a second series is an outline. ``shares``: parts of a whole.
            ``scatter``: values at numbers, such as a cost, each with its tip beside it.
            ``parallel``: a line for each series across standing axes, one for each name; values
            are places from 0 to 1 on them, named by ``tip``. The last axis gives a line its colour:
            1 is the best. Lines of the tone ``open`` are dashed, strong ones are thick.
        scale: least and greatest value, for charts that are compared; None: its own.
        remark: a few words within the drawing.
        unit: what stands behind a value; ``%`` shows shares of one in percent.
        digits: decimals of the values in words.
        redundant: the blocks beside it say the same; a report without drawings leaves it out.
    """

    kind: ChartKind
    title: str
    series: tuple[Series, ...]
    scale: tuple[float, float] | None = None
    remark: str = ""
    unit: str = ""
    digits: int = 3
    redundant: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A command or a query, to be copied: never broken, never cut short.

    Attributes:
        lead: what stands before it.
    """

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of data or of a model, with its lines; words of it may be marked.

    Attributes:
        pieces: kind and text of each piece, one after another: ``same``, ``rest`` and ``extra`` are
            the text itself, ``missing`` is what another text has there
            (:func:`harness.kit.worddiff.differences`). One piece, where nothing is marked.
        title: what it is, such as *round 2: pass*.
        remark: what stands beside the title, less loud.
    """

    pieces: tuple[tuple[Kind, str], ...]
    title: str = ""
    remark: str = ""


def plain_pieces(passage: Passage, limit: int) -> Iterator[tuple[Kind, str]]:
    """The pieces of a passage as plain text (:func:`harness.kit.text.plain`), the first of many.

    A marked word that stands where the text has no blank gets one before it.
    """
    room, spaced = limit, True
    for kind, raw in passage.pieces:
        text = plain(raw, room)
        if kind in ("missing", "extra") and not spaced and text[:1].isalnum():
            yield "same", " "
        if text:
            yield kind, text
            spaced = text[-1].isspace()
        room -= len(text)
        if room <= 0:
            return


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that answers a prompt.

    Attributes:
        by: whose it is, such as *round 2*.
        score: the answer's own; None where it is not known.
        detail: what else is known of it, such as its error categories.
    """

    by: str
    text: str
    score: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the data with answers to it.

    Attributes:
        id, place: the row's own name, and where it is to be found, such as ``dev.jsonl:12``.
        answers: those that are shown, in their order.
        reference: what an answer is expected to say.
        others: more answers and references, which the page folds away and others leave out.
        tags: error categories.
        remark: a word on it, such as what became of it over the rounds.
        notes: what else is known, each with a word or two that say what it is (``lead``).
    """

    id: str
    prompt: str
    answers: tuple[Answer, ...]
    reference: str = ""
    place: str = ""
    others: tuple[Answer, ...] = ()
    tags: tuple[str, ...] = ()
    remark: str = ""
    notes: tuple[Paragraph, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to rows of the data, to be read.

    Attributes:
        score: what the answers' scores are called.
        reference: ``marked``: the last answer of a sample stands beside the reference, and words
            that the other lacks are marked. ``shown``: the reference stands below the answers.
            ``folded``: where there is room, which is on the page.
        short: how many samples a short report shows; None shows all.
    """

    samples: tuple[Sample, ...]
    score: str
    reference: Literal["marked", "shown", "folded"] = "marked"
    short: int | None = None


Simple: TypeAlias = Heading | Paragraph | Note | Bullets | Table | Chart | Code | Passage | Answers


@dataclass(frozen=True, slots=True)
class Details:
    """What few readers need: folded away on the page, left out of the short reports."""

    summary: str
    blocks: tuple[Simple, ...]


Block: TypeAlias = Simple | Details
KINDS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (*get_args(Simple), Details)
}


def flaw(block: Block) -> str:
    """What is wrong with a block whose fields are of their types, or an empty text."""
    if isinstance(block, Details):
        return next(filter(None, map(flaw, block.blocks)), "")
    if isinstance(block, Table):
        return _flaw_of_table(block)
    return _flaw_of_chart(block) if isinstance(block, Chart) else ""


def _flaw_of_table(block: Table) -> str:
    if not block.columns:
        return "a table has no columns"
    for place, row in enumerate(block.rows, 1):
        if len(row) != len(block.columns):
            counts = f"{len(row)} cells for {len(block.columns)} columns"
            return f"row {place} of a table has {counts}"
        for column, cell in zip(block.columns, row, strict=True):
            if not _fits(column.kind, cell):
                return f"row {place} of a table has a cell that is no {column.kind}"
    return ""


def _fits(kind: ColumnKind, cell: Cell) -> bool:
    several = isinstance(cell, (tuple, list))
    if cell is None:
        return True
    if kind in WRITTEN and several:
        return all(isinstance(line, str) for line in cell)  # type: ignore[union-attr]
    if kind == "span":
        return several and len(cell) in (0, 3)  # type: ignore[arg-type]
    if kind == "bar":
        return isinstance(cell, (int, float))
    return several == (kind == "trend")


def _flaw_of_chart(block: Chart) -> str:
    points = [point for series in block.series for point in series.points]
    if not points:
        return "a chart has no points"
    at_numbers = block.kind in ("rounds", "curve", "scatter")
    if at_numbers and any(isinstance(point.at, str) for point in points):
        return f"a point of a chart of {block.kind} is at no number"
    if block.kind == "parallel" and not all(0 <= point.value <= 1 for point in points):
        return "a point of a chart of parallel axes lies beyond its axis"
    counted = block.kind in ("bars", "histogram", "shares")
    if counted and any(point.value < 0 for point in points):
        return f"a point of a chart of {block.kind} is below zero"
    return ""


def to_json(block: Block) -> dict[str, Any]:
    """A block as JSON holds it."""
    fields: dict[str, Any] = {"block": type(block).__name__.lower(), **record_to_json(block)}
    if isinstance(block, Details):
        fields["blocks"] = [to_json(inner) for inner in block.blocks]
    return fields


def from_json(fields: Mapping[str, Any]) -> Block:
    """The block that :func:`to_json` wrote.

    Raises:
        TypeError, KeyError: it is of a kind, or has a field, that this version does not know.
    """
    kind = KINDS[fields["block"]]
    values = {name: value for name, value in fields.items() if name != "block"}
    block: Block
    if kind is Details:
        inner: Any = tuple(from_json(inner_block) for inner_block in values["blocks"])
        block = Details(values["summary"], inner)
    else:
        block = record_from_json(kind, values)
    if isinstance(block, Table):  # JSON has lists where a table has tuples
        block = dataclasses.replace(block, rows=tuple(map(tuple, block.rows)))
    return block


def table(
    titles: Sequence[str], rows: Iterable[Sequence[Cell]], *,
    right: Collection[str] = (), spare: Sequence[str] = (), caption: str = "",
) -> Table:  # fmt: skip
    """A table of texts and numbers.

    Args:
        right: titles of the columns that hold numbers.
        spare: titles of those that a narrow terminal may leave out, the first one first.
    """
    columns = (
        Column(
            title, "number" if title in right else "text",
            spare=len(spare) - spare.index(title) if title in spare else 0,
        )
        for title in titles
    )  # fmt: skip
    return Table(tuple(columns), tuple(map(tuple, rows)), caption)


def of_sections(analysis: Analysis, *, short: bool = False) -> Iterator[Block]:
    """What the sections of an analysis say, in their order: all of a report.

    Args:
        short: what each says in the short report.
    """
    for section in analysis.sections:
        yield from map(from_json, section.in_short if short else section.blocks)


def of_rows(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], cut: bool = False
) -> list[Block]:
    """A section that is a table and nothing else; columns of numbers stand to the right."""
    heads = tuple(
        Column(str(name), "number" if all(map(_is_number, (row[at] for row in rows))) else "text")
        for at, name in enumerate(columns)
    )
    cells = tuple(tuple(_shown(value) for value in row) for row in rows)
    shown: Block = Table(heads, cells, title) if rows else Paragraph("Nothing to show.")
    return [Heading(title), shown, *([Note("There are more rows.")] if cut else [])]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _shown(value: Any) -> str:
    if value is None:
        return DASH
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table_of(chart: Chart) -> Table:
    """The values of a chart as a table, for where nothing can be drawn."""
    names = list(dict.fromkeys(point.at for series in chart.series for point in series.points))
    columns = [Column("")]
    for series in chart.series:
        columns += [Column(series.name, "number"), Column("", "bar", spare=1)]
    by_place = [{point.at: point for point in series.points} for series in chart.series]
    rows = []
    for name in names:
        cells: list[Cell] = [name if isinstance(name, str) else f"{name:g}"]
        for points in by_place:
            point = points.get(name)
            cells += [value_text(point, chart) if point else "", point.value if point else None]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows), chart.title, ordered=True)


def value_text(point: Point, chart: Chart) -> str:
    """A point's value in words, with its interval."""
    scale, unit = (100.0, " %") if chart.unit == "%" else (1.0, chart.unit and f" {chart.unit}")
    digits = chart.digits
    text = f"{point.value * scale:.{digits}f}"
    if point.low is not None and point.high is not None:
        text += f" [{point.low * scale:.{digits}f}, {point.high * scale:.{digits}f}]"
    return text + unit
