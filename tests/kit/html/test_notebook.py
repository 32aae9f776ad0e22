"""Blocks in a notebook: text stays text, the style has an effect on nothing else, both themes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.kit.blocks import (
    Answer,
    Answers,
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
    Sample,
    Series,
    Table,
)
from harness.kit.html.notebook import in_notebook
from tests.support import hostile_texts
from tests.support.browser import Tab, launched


def report(text: str) -> list[Block]:
    """Every kind of block, with the text wherever one may stand."""
    points = (Point(0, 0.1, 0.0, 0.2, tip=text), Point(1, 0.4, 0.3, 0.5, strong=True, tip=text))
    columns = (Column(text), Column(text, "label"), Column(text, "number"), Column(text, "id"))
    sample = Sample(
        text, text, (Answer(text, text[::-1], 0.5, text),), text, text, (Answer(text, text),),
        (text,), text, (Paragraph(text, text, detail=text),),
    )  # fmt: skip
    blocks: list[Block] = [
        Heading(text, level=1, label="improved"), Paragraph(text, text, "held", text),
        Heading(f"Rounds {text}", text), Chart("rounds", text, (Series(text, points),)),
        Table(columns, ((text, "regressed", 0.5, text), (text, "no evidence", 1, text)), text),
        Heading("More", text), Note(text, failed=True), Note(text),
        Bullets((Paragraph(text),), folded=text), Code(text, text), Code("a\nb", text),
        Answers((sample,), text), Answers((sample,), text, "shown"),
        Details(text, (Note(text),)),
    ]  # fmt: skip
    return blocks


class Tags(HTMLParser):
    """All tags with their attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_text_is_never_markup() -> None:
    tame = {tag for tag, _ in Tags(in_notebook(report("tame"), opened=2)).tags}
    assert "script" not in tame
    for text in hostile_texts.TEXTS:
        read = Tags(in_notebook(report(text), opened=2))
        assert {tag for tag, _ in read.tags} <= tame
        assert [tag for tag, _ in read.tags].count("style") == 1
        names = {name for _, attributes in read.tags for name in attributes}
        assert not {name for name in names if name.startswith("on") or name in ("style", "src")}


def test_parts_behind_the_first_are_folded_away() -> None:
    markup = in_notebook(report("text"), opened=2)
    assert markup.index("Rounds text") < markup.index('<details class="part">')
    assert markup.count('<details class="part">') == 1
    assert "<summary><bdi>More</bdi>" in markup
    assert 'class="part"' not in in_notebook(report("text"))


def test_the_commands_at_the_end_are_seen() -> None:
    blocks = [Heading("A"), Note("a"), Heading("B"), Code("x"), Note("b"), Code("y"), Code("z")]
    folded = in_notebook(blocks, opened=1).partition('<details class="part">')[2]
    inner, _, seen = folded.partition("</details>")
    assert re.findall(r"<bdi>|<code>(\w)", inner) == ["", "x"]
    assert re.findall(r"<code>(\w)", seen) == ["y", "z"]


def test_drawings_of_two_cells_have_names_of_their_own() -> None:
    first, second = (
        set(re.findall(r' id="(chart-\S+)"', in_notebook(report(text)))) for text in ("a", "b")
    )
    assert first and not first & second
    assert in_notebook(report("a")) == in_notebook(report("a"))


# -- in a browser --------------------------------------------------------------------------

HOST = """<!doctype html><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><style>
body {{ margin: 0; background: {paper}; color: {ink}; font: 14px sans-serif }}
.host table {{ font-size: 12px; margin: 0 auto }} .host h2 {{ font-size: 25px }}
.host td {{ text-align: right; padding: 4px }} .host p {{ color: inherit }}
</style><body><div class="host">{cell}</div>
<div class="host" id="others"><h2>Others</h2><p class="note label">A <code>text</code></p>
<table><caption>c</caption><thead><tr><th>a</th></tr></thead><tr><td class="n">1</td></tr></table>
<details class="example"><summary>s</summary><div class="text banner">t</div></details>
<svg><text class="name">t</text></svg></div>"""
OTHERS = """JSON.stringify([...document.querySelectorAll("#others *")].map(
  (e) => [...getComputedStyle(e)].map((k) => getComputedStyle(e).getPropertyValue(k))))"""
# Colours are painted one over another, as the browser does, and read again.
FAINT = """
(() => {
  const pen = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    .getContext("2d", {willReadFrequently: true});
  const painted = (colours) => {
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  };
  for (const e of document.querySelectorAll("details")) e.open = true;
  const faint = [];
  let read = 0;
  for (const e of document.querySelectorAll(".harness-blocks *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest("style, title, desc")) continue;
    const behind = [];
    for (let at = e; at; at = at.parentElement)
      behind.unshift(getComputedStyle(at).backgroundColor);
    const style = getComputedStyle(e);
    const [a, b] = [painted([...behind, e instanceof SVGElement ? style.fill : style.color]),
                    painted(behind)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    read += 1;
    if (ratio < 4.5) faint.push([e.tagName, String(e.className.baseVal ?? e.className), ratio]);
  }
  return {read, faint};
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with launched() as chromium:
        yield Tab(chromium)


THEMES = {
    "light": ("#fff", "rgba(0, 0, 0, .87)"),
    "dark": ("#111", "rgba(255, 255, 255, .87)"),
    "grey": ("#383838", "#d5d5d5"),
}
"""Background and text of notebooks."""


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("theme", THEMES)
def test_all_can_be_read_on_any_background(browser: Tab, tmp_path: Path, theme: str) -> None:
    paper, ink = THEMES[theme]
    place = tmp_path / "cell.html"
    cell = in_notebook(report("a text of some words"), opened=2)
    place.write_text(HOST.format(paper=paper, ink=ink, cell=cell), encoding="utf-8")
    for width in (700, 400):
        browser.open(place.as_uri(), width=width)
        state = browser.evaluate(FAINT)
        assert state["read"] > 40
        assert state["faint"] == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_the_style_stays_within_its_cell(browser: Tab, tmp_path: Path) -> None:
    shown = []
    for cell in ("", in_notebook(report("text"))):
        place = tmp_path / "cell.html"
        place.write_text(HOST.format(paper="#fff", ink="#000", cell=cell), encoding="utf-8")
        browser.open(place.as_uri())
        shown.append(json.loads(browser.evaluate(OTHERS)))
    before, after = shown
    assert len(before) > 10 and before == after


def test_hostile_text_does_nothing(browser: Tab, tmp_path: Path) -> None:
    cells = "".join(in_notebook(report(text), opened=2) for text in hostile_texts.TEXTS)
    place = tmp_path / "cell.html"
    place.write_text(HOST.format(paper="#fff", ink="#000", cell=cells), encoding="utf-8")
    browser.open(place.as_uri())
    assert browser.evaluate(f"window.{hostile_texts.CANARY} || null") is None
    assert browser.asked == [place.as_uri()]
