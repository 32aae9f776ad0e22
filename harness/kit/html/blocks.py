"""Blocks as HTML: whatever a text holds, :mod:`.markup` makes it harmless."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from importlib.resources import files

from harness.kit.blocks import (
    DRAWN,
    Answers,
    Block,
    Bullets,
    Cell,
    Chart,
    Code,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Passage,
    Table,
    mark_of,
    tone_of,
    written,
)
from harness.kit.html.answers import draw_answers, draw_passage
from harness.kit.html.charts import chart
from harness.kit.html.markup import Child, Html, element, joined, long, name, table
from harness.kit.numbers import DASH

CELL = 300
TEXT = 2_000
_BANNER = (Heading, Paragraph, Note)
"""What the box at the top holds, up to the first other block or part."""


def draw(blocks: Iterable[Block], keys: Iterator[str]) -> Html:
    """Blocks one after another; drawings that follow each other stand side by side, and a single
    one beside the table that follows it.

    Args:
        keys: an ``id`` for each drawing, which nothing else on the page has.
    """
    drawn: list[Child] = []
    rest = list(blocks)
    if rest and isinstance(rest[0], Heading) and rest[0].level == 1:
        first = list(itertools.takewhile(lambda block: isinstance(block, _BANNER), rest))
        banner = f"banner {rest[0].toned}"
        drawn.append(element("div", [_drawn(block, keys) for block in first], class_=banner))
        rest = rest[len(first) :]
    while rest:
        charts = list(itertools.takewhile(lambda block: isinstance(block, Chart), rest))
        if not charts:
            drawn.append(_drawn(rest.pop(0), keys))
            continue
        rest = rest[len(charts) :]
        drawings: list[Child] = [
            chart(block, next(keys)) for block in charts if isinstance(block, Chart)
        ]
        beside = len(drawings) == 1 and bool(rest) and isinstance(rest[0], Table)
        drawings += [_drawn(rest.pop(0), keys)] if beside else []
        drawn.append(element("div", drawings, class_="beside" if beside else "charts"))
    return joined(drawn)


def parts(blocks: Iterable[Block]) -> list[tuple[Heading, list[Block]]]:
    """The parts of a report, each with its heading of level 2.

    The first line of all, of level 1, is the first of a part that is called *Verdict*. What stands
    before both belongs to none.
    """
    found: list[tuple[Heading, list[Block]]] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            found.append((Heading("Verdict"), [block]))
        elif isinstance(block, Heading) and block.level == 2:
            found.append((block, []))
        elif found:
            found[-1][1].append(block)
    return found


@functools.cache
def style() -> Html:
    """The rules by which a browser shows what is drawn; they hold no closing tag.

    Colours are variables, which whoever uses the rules sets: ``--ink``, ``--paper`` and others.
    Rules for narrow places ask the nearest element with a ``container-type``.
    """
    return Html(files("harness.kit.html").joinpath("blocks.css").read_text(encoding="utf-8"))


def label(text: str, tone: str = "") -> Html:
    """A label with its mark, so that colour is never all that tells.

    Args:
        tone: its colour, where that is not its own.
    """
    shown = name(text or "unknown", 30)
    return element("span", f"{mark_of(text)} ", shown, class_=f"label {tone or tone_of(text)}")


def _drawn(block: Block, keys: Iterator[str]) -> Html | None:
    if isinstance(block, Heading):
        if block.level == 1:
            return element("p", label(block.label, block.toned), f" on {block.text}", class_="big")
        remark = [" ", element("span", name(block.remark, 300), class_="remark")]
        return element(f"h{block.level}", name(block.text, 200), remark if block.remark else None)
    if isinstance(block, Paragraph):
        return element("p", paragraph(block))
    if isinstance(block, Note):
        role = "note" if block.failed else None
        return element("p", block.text, class_="failed" if block.failed else "note", role=role)
    if isinstance(block, Bullets):
        items = [element("li", paragraph(item)) for item in block.items]
        listed = element("ol" if block.numbered else "ul", items) if items else None
        if listed and block.folded:
            return element("details", element("summary", name(block.folded, 300)), listed)
        return listed
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        return _code(block)
    if isinstance(block, Details):
        summary = element("summary", name(block.summary, 300))
        return element("details", summary, draw(block.blocks, keys))
    if isinstance(block, Passage):
        return draw_passage(block)
    if isinstance(block, Answers):
        return draw_answers(block)
    return None


def paragraph(block: Paragraph) -> list[Child]:
    return [
        [label(block.label), " "] if block.label else None,
        [element("b", name(block.lead, 600)), " " if block.text else None] if block.lead else None,
        long(block.text, TEXT),
        [" ", element("span", block.detail, class_="dim")] if block.detail else None,
    ]


def _code(block: Code) -> Html:
    if "\n" in block.text or not block.lead:
        return joined(
            element("p", block.lead) if block.lead else None,
            element("pre", element("code", long(block.text, 20_000))),
        )
    return element("p", block.lead, " ", element("code", name(block.text, 2_000)), class_="next")


_CLASSES = {"number": "n", "word": "s", "label": "s", "id": "s", "text": "", "line": ""}


def _table(block: Table) -> Html | None:
    shown = [at for at, column in enumerate(block.columns) if column.kind not in DRAWN]
    heads = [
        (block.columns[at].title, "n" if block.columns[at].right
         else _CLASSES[block.columns[at].kind])
        for at in shown
    ]  # fmt: skip
    rows = [[_cell(block.columns[at], row[at]) for at in shown] for row in block.rows]
    named = (n for n, at in enumerate(shown) if block.columns[at].kind == "text")
    sortable, head = not block.ordered, next(named, 0)
    return table(heads, rows, block.caption, sortable, head) if rows else None


def _cell(column: Column, cell: Cell) -> Child:
    if cell is None:
        return DASH
    if column.kind == "label":
        return label(str(cell)) if cell else None
    shown = name(written(cell), CELL)
    return element("b", shown) if column.strong else shown
