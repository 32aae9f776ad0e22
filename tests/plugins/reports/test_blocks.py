"""Blocks of a plugin, each kind, in the terminal, in Markdown and on the page."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from harness.kit.blocks import (
    Block,
    Bullets,
    Chart,
    Code,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
    flaw,
    to_json,
)
from tests.plugins.reports.faces import markdown, page, render

Document = dict[str, Any]
HOSTILE = "[b]x[/b] <script>y</script> | *a* `c` \x1b[31m\u202e [l](http://evil.example)"


def with_blocks(document: Document, *blocks: Block, order: int = 2100) -> Document:
    if not isinstance(blocks[0], Heading):
        blocks = (Heading("Of a plugin"), *blocks)
    section = {
        "name": "own", "title": "Of a plugin", "columns": [], "rows": [], "cut": False,
        "order": order, "blocks": [to_json(block) for block in blocks], "in_short": [],
    }  # fmt: skip
    return document | {"sections": [section]}


def terminal(document: Document, width: int = 80) -> str:
    shown = io.StringIO()
    render(document, Console(file=shown, width=width, color_system=None))
    return shown.getvalue()


def own(text: str) -> str:
    """What the section says, without what follows it."""
    return re.split(r"Notes(?=\n)", text[text.rindex("Of a plugin") :])[0]


NAMED = (
    Series("before", (Point("a", 2, tip="two"), Point("b", 6))),
    Series("after", (Point("a", 3),)),
)
BY_ROUND = (Series("score", (Point(0, 0.2, 0.1, 0.3), Point(2, 0.5, 0.4, 0.6, strong=True))),)
ACROSS = tuple(
    Series(f"trial {n}", (Point("size", n / 2, tip=f"{8 << n}"),
                          Point("loss", 1 - n / 2, tip=f"0.{n}", strong=n == 0, tone=tone)))
    for n, tone in enumerate(("base", "base", "open"))
)  # fmt: skip
GAPS = (Series("", (Point("x", -0.2, -0.3, -0.1), Point("y", 0.4))),)
CHARTS = [
    Chart("rounds", "Values by round", BY_ROUND), Chart("curve", "Values by step", BY_ROUND * 2),
    Chart("bars", "Bars", NAMED, digits=0), Chart("gaps", "Gaps", GAPS),
    Chart("histogram", "Lengths", NAMED, unit="%"), Chart("shares", "Parts", NAMED[:1], digits=0),
    Chart("parallel", "Trials", ACROSS),
    Chart("bars", "One is empty", (Series("none", ()), NAMED[0])),
    Chart("histogram", "All are zero", (Series("", (Point("a", 0),)),)),
    Chart("rounds", "One point", (Series("", (Point(1, 0.5),)),)),
]  # fmt: skip


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.title)
def test_a_chart_is_drawn_or_a_table(analysis: Document, chart: Chart) -> None:
    assert flaw(chart) == ""
    document = with_blocks(analysis, chart)
    drawing = next(
        svg for svg in re.findall(r"<svg.*?</svg>", page(document)) if chart.title in svg
    )
    told = ElementTree.fromstring(drawing)
    assert told.findtext("desc") and told.get("role") == "img"
    for place in ("x", "y", "width", "height", "cx", "cy"):
        assert all(float(one.get(place) or 0) >= 0 for one in told.iter())
    shown = own(terminal(document))
    last = chart.series[-1].points[-1]
    assert (f"{last.at:g}" if isinstance(last.at, (int, float)) else last.at) in shown
    assert f"## Of a plugin\n\n{chart.title}\n\n|" in markdown(document)
    beside = Chart(chart.kind, chart.title, chart.series, redundant=True)
    assert chart.title not in markdown(with_blocks(analysis, beside, Note("beside")))


def test_text_is_shown_as_it_is(analysis: Document) -> None:
    table = Table((Column(HOSTILE), Column("n", "label")), ((HOSTILE, HOSTILE),), HOSTILE)
    document = with_blocks(
        analysis, Heading(HOSTILE, HOSTILE), Paragraph(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        Note(HOSTILE, failed=True), Bullets((Paragraph(HOSTILE),), True), table,
        Chart("bars", HOSTILE, (Series(HOSTILE, (Point(HOSTILE, 1, tip=HOSTILE),)),)),
        Code(HOSTILE, HOSTILE), Details(HOSTILE, (Note(HOSTILE), table)),
    )  # fmt: skip
    markup = page(document)
    assert markup.count("<script") == 1 and "&lt;script&gt;y" in markup and "\x1b" not in markup
    for text in (terminal(document), markdown(document)):
        assert "\x1b" not in text and "\u202e" not in text
    assert "[b]x[/b] <script>y</script> | *a*" in terminal(document, 400)
    assert "<script" not in markdown(document).replace("\\<", "").split("```")[0]
    assert not re.search(r"(?<!\\)\](?=\()", markdown(document).split("```")[0])


WIDE = Table(
    (Column("name"), Column("verdict", "label"), Column("score", "number"),
     Column("interval", "number"), Column("bar", "bar", spare=1), Column("more", "number", spare=2),
     Column("what it is", spare=3)),
    tuple((f"a name of some length {n}", "no evidence", f"{n}.000", "[-1.000, +1.000]", n, n,
           "why so") for n in range(4)),
    "Wide", short=3, rest="later",
)  # fmt: skip


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", [30, 40, 50, 60, 80, 120])
def test_a_table_keeps_names_and_verdicts_in_any_width(analysis: Document, width: int) -> None:
    shown = own(terminal(with_blocks(analysis, WIDE), width))
    assert max(map(len, shown.split("\n"))) <= width
    words = " ".join(shown.split())
    assert words.count("◆ no evidence") == 3 and words.count("[-1.000, +1.000]") == 3
    assert "1.000" in words and words.count("why so") == 3 and "and 1 more, later" in words
    assert ("not shown for want of room: more" in words) is (50 < width < 80)


def test_what_nothing_is_left_of_has_no_heading(analysis: Document) -> None:
    document = with_blocks(
        analysis, Note("first"), Heading("Nothing here", level=3), Details("d", (Note("for few"),))
    )
    for text in (terminal(document), markdown(document)):
        assert "first" in text and "Nothing here" not in text and "for few" not in text
    assert "Nothing here" in page(document) and "for few" in page(document)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("order", "behind", "before"),
    [(1_150, "Other scores", "Underperforming slices"),
     (1_350, "Fixed and regressed", "Error categories on dev"),
     (1_510, "Likeliest causes", "Among the worst"), (2_100, "Training loss", "Notes")],
)  # fmt: skip
def test_a_section_stands_where_it_says(
    analysis: Document, order: int, behind: str, before: str
) -> None:
    for text in (terminal, markdown, page):
        shown = text(with_blocks(analysis, Note("here"), order=order))
        places = [shown.rindex(one) for one in (behind, "Of a plugin", before)]
        assert places == sorted(places)
