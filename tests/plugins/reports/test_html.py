"""The page: what it says and in which order, its charts, and text that stays text."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.kit.blocks import of_rows, to_json
from harness.kit.html.answers import anchor
from harness.report.queries import QUERIES
from harness_rating.section import TABLES as PEOPLE
from harness_reports import HtmlReporter, findings, register_reporters
from tests.plugins.reports.faces import drawn, page as html_page
from tests.support import hostile_texts
from tests.support.documents import whole

Document = dict[str, Any]


def page(document: Document) -> str:
    """The page with the sections that always stand in it."""
    return html_page(document)


ROOT = Path(__file__).parents[3]
FOREST = "rougeL below the rest"
DOUBTFUL = "rougeL below the rest, which may be chance"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "bdi", "nav", "ul", "ol",
    "li", "a", "main", "section", "h2", "h3", "h4", "div", "p", "span", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption", "svg",
    "desc", "line", "text", "polyline", "circle", "rect", "b", "em", "q", "dl", "dt", "dd",
    "form", "label", "input", "select", "option", "output", "del", "ins", "pre", "code",
    "script",
}  # fmt: skip


class Reader(HTMLParser):
    """All tags with their attributes, and the text outside style and script."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.own: dict[str, str] = {}
        self.within = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.within = tag

    def handle_data(self, data: str) -> None:
        if self.within in ("style", "script"):
            self.own[self.within] = self.own.get(self.within, "") + data
        else:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def drawings(markup: str) -> dict[str, ElementTree.Element]:
    """Title -> drawing; each must be well-formed."""
    found = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", markup, re.S)]
    return {svg.findtext("title") or "": svg for svg in found}


def long_example(text: str) -> Document:
    answers = [{"round": n, "text": f"{n} {text}", "score": 0.1, "right": False, "errors": ["cut"]}
               for n in range(4)]  # fmt: skip
    return {
        "id": text[:200], "place": text[:200], "prompt": text, "reference": text,
        "references": [text], "answer": text[::-1], "score": 0.1, "errors": ["cut"],
        "course": "never right", "answers": answers,
        "cause": {"cause": "gap", "evidence": text[:600], "remedy": "", "train_rows": [text[:200]]},
    }  # fmt: skip


def test_it_is_registered_and_writes_one_file(analysis: Document, tmp_path: Path) -> None:
    assert HtmlReporter in register_reporters()
    before = copy.deepcopy(analysis)
    (path,) = HtmlReporter().write(drawn(analysis), tmp_path)
    assert [path] == list(tmp_path.iterdir())
    assert path.read_text(encoding="utf-8") == html_page(analysis)
    assert analysis == before


NAMES = {
    ("docstrings-3f2a91c4", "docstrings"): "SmolLM2-135M-Instruct on docstrings",
    ("harness-398988e5", "python-questions"): "SmolLM2-135M-Instruct on python-questions",
    ("harness-398988e5", "path"): "SmolLM2-135M-Instruct on tickets.jsonl",
    ("my tickets", "docstrings"): "SmolLM2-135M-Instruct on my tickets",
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(("run", "source"), NAMES)
def test_the_title_is_what_people_know(analysis: Document, run: str, source: str) -> None:
    data = (
        {"source": "rows", "path": "a/b/tickets.jsonl"} if source == "path" else {"source": source}
    )
    analysis["settings"]["data"] = data
    text = page(analysis | {"run": run})
    assert f"<title>{NAMES[run, source]}, 2026-11-26, {run}</title>" in text
    assert Reader(text).text.split(" run ")[0].endswith(f"{NAMES[run, source]} 2026-11-26")


def test_a_page_without_a_model_or_data_is_called_by_its_run(analysis: Document) -> None:
    text = page(analysis | {"model": {}, "settings": {}, "run": "harness-398988e5"})
    assert "<title>harness-398988e5, 2026-11-26</title>" in text


def test_the_contents_are_one_line_until_they_are_opened(analysis: Document) -> None:
    assert re.search(
        r"<nav [^>]*><details><summary>Contents: \d+ parts</summary><ul>", page(analysis)
    )


def test_the_verdicts_in_words_are_folded_beside_their_table(analysis: Document) -> None:
    text = page(analysis)
    assert re.search(r"<details><summary><bdi>The verdicts in words</bdi></summary><ul>", text)
    assert text.count("There is no evidence that round 2 differs") == 1


def test_code_stands_in_a_monospace_face_wherever_it_is(analysis: Document) -> None:
    code = "Use this:\n```python\ndef f(a):\n    return a\n```"
    analysis["better"][0]["answers"][1]["text"] = code
    analysis["examples"][0] |= {"answer": code, "reference": "prose alone"}
    analysis["examples"][0]["answers"][2]["text"] = "if a:\n    b"
    text = page(analysis)
    shown = code.replace("'", "&#x27;")
    assert f'class="text code">{shown}<' in text[text.index("Answers that got better") :]
    assert 'class="text words code"' in text and 'class="text code">if a:\n    b<' in text
    assert 'class="text prompt"' in text[text.index("Answers that got better") :]
    assert ".text.code {" in text and 'class="text">Encode' in text


@pytest.mark.nightly
def test_no_bar_is_drawn_of_what_never_was(analysis: Document) -> None:
    title = "Answers on dev of each error category"
    kept = analysis["kept_round"]
    assert "unexplained" in "".join(drawings(page(analysis))[title].itertext())
    for row in analysis["tables"]["unexplained"]:
        row["answers"] = row["answers"] if row["round"] not in (0, kept) else 0
    assert "unexplained" not in "".join(drawings(page(analysis))[title].itertext())


def test_losses_of_other_validation_rows_are_said_to_be_of_others(analysis: Document) -> None:
    course = {"kind": None, "sentence": "s", "advice": "", "valid_of": 10}
    for entry in analysis["rounds"][1:]:
        entry["course"] = course | {"valid_rows": 4}
    text = Reader(page(analysis)).text
    assert "dots: 4 of 10 validation rows" in text
    assert "The rounds measured other validation rows" not in text
    analysis["rounds"][2]["course"] = course | {"valid_rows": 6}
    text = Reader(page(analysis)).text
    assert "(6 of 10 validation rows)" in text
    assert "The rounds measured other validation rows" in text


def test_the_order_of_the_page(analysis: Document) -> None:
    text = Reader(page(analysis)).text
    expected = [
        "▲ improved on test", "On test: rougeL rose by 0.147 against round 0", "All guards",
        "Rounds",
        "What was weak, and what was added rougeL there", "Answers that got better",
        "What the run was made with what", "Test set evaluated", "Other scores",
        "Underperforming slices round 1", "Fixed and regressed pass threshold",
        "Error categories on dev answers",
        "Rules cannot detect a wrong fact", "Likeliest causes round 1",
        "What raters say 90 of 90", "Among the worst answers dev", "Training data added and",
        "Training loss first", "Notes The slice", "Suggested actions by", "Appendix took",
        "The queries", "Next: harness try", "harness why", "harness iterate --rounds 4",
    ]  # fmt: skip
    start = text.index("▲ improved on test")
    places = [text.index(part, start) for part in expected]
    assert places == sorted(places)
    assert text.endswith(expected[-1])


def test_the_figures_are_there(analysis: Document) -> None:
    shown = Reader(page(analysis)).text
    for told in (
        "1 ● ▲ improved 240 0.303 [0.287, 0.319] +0.147",
        "3 ◆ no evidence 480 0.311",
        "rougeL 0.150 [0.140, 0.172] 0.297",
        "targeted minus random: +0.004 [-0.011, +0.019]",
        "✗ broken guard exact, round 2: exact fell",
        "✓ held guard kind = class, round 3: Held",
        "kind = class 31 14 0.191 0.112 [0.047, 0.177] 0.010",
        "finish_reason = length (reply)",
        "2 more slices are below the rest, which may be chance",
        "truncated 131 9 6 7",
        "48 for kind = class",
        "near dev 9, duplicate of train 5",
        "1 ● 2.646 → 1.481 1.710 → 1.602",
        "too few to judge",
        "nrefs:1|case:mixed|tok:13a|smooth:exp|version:2.6",
        "meteor 158 2 higher meteor|wn:3.0",
        "each bound at 98.3 %",
        "2 Small, version 1 0, 1 random 60 of 60 ana, bo small-ed5fa6c1",
        "Quality 0.32 [0.23, 0.41] 0.78 [0.69, 0.86]",
        "1 Preference 1 : 0 25-0-5 0.83 [0.69, 0.97] – ▲ improved",
        "80 % raters agree well",
        "100 % none: everyone chose 0.5",
        "2 bo 66 4 s +0.01 [-0.02, +0.03] Overall 0 % of 6",
        "wrong facts 16 3",
        "answers rated 30 30",
        "rougeL orders two answers to one prompt as raters do in 73 %",
    ):
        assert told in shown


def table_section(names: list[str], rows: list[Any], cut: bool) -> Document:
    blocks = of_rows("Hardest words", names, rows, cut)
    return {
        "name": "w", "title": "Hardest words", "order": 2100, "columns": names, "rows": rows,
        "cut": cut, "blocks": list(map(to_json, blocks)), "in_short": [],
    }  # fmt: skip


def test_a_plugins_section_is_a_table(analysis: Document) -> None:
    rows = [["hard\nword <b>", 3, 0.123456, None], ["x", 1, 2.0, None]]
    names = ["word", "times", "share", "more"]
    analysis["sections"] = [table_section(names, rows, True)]
    text = Reader(page(analysis)).text
    assert "word times share more hard word <b> 3 0.1235 – x 1 2 –" in text
    assert "There are more rows." in text
    analysis["sections"] = [table_section([], [], False)]
    assert "Hardest words Nothing to show." in Reader(page(analysis)).text


def test_where_nobody_has_rated_people_have_no_section(analysis: Document) -> None:
    for name in PEOPLE:
        analysis["tables"][name] = []
    assert 'id="what-people-say"' not in page(analysis)
    analysis["failed"] = {"agreement": "the query did not end"}
    assert "This part is incomplete. It could not be found out" in page(analysis)


def test_each_query_is_in_the_appendix(analysis: Document) -> None:
    text = Reader(page(analysis)).text
    assert analysis["queries"]
    for query in analysis["queries"]:
        assert " ".join(query["sql"].split()) in text


def lengths(*words: int) -> list[Document]:
    return [{"round": 0, "words": first, "answers": 40} for first in words]


def test_lengths_that_a_sentence_tells_are_not_drawn(analysis: Document) -> None:
    analysis["tables"]["answer_lengths"] = lengths(0, 10)
    text = Reader(page(analysis)).text
    assert "All answers and references have 0–9 or 10–19 words." in text
    assert "Lengths in round 0" not in text


def test_drawings_say_what_they_show(analysis: Document) -> None:
    analysis["tables"]["answer_lengths"] = lengths(0, 10, 20)
    markup = page(analysis)
    found = drawings(markup)
    assert {
        "rougeL by round", "bleu by round", "Loss in round 1", "Answers on dev of each error "
        "category", FOREST,
        "Lengths in round 0",
    } <= set(found)  # fmt: skip
    for svg in found.values():
        ids = {one.get("id"): one.text for one in svg if one.tag in ("title", "desc")}
        assert svg.get("role") == "img"
        assert ids[svg.get("aria-labelledby")] and ids[svg.get("aria-describedby")]
    assert "round 1: 0.303 [0.287, 0.319]" in (found["rougeL by round"].findtext("desc") or "")
    ids = [attrs["id"] for _, attrs in Reader(markup).tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


def test_points_lie_where_their_values_are(analysis: Document) -> None:
    drawing = drawings(page(analysis))["rougeL by round"]
    points = drawing.findall("circle")
    heights = [float(point.get("cy") or 0) for point in points]
    values = [entry["scores"]["rougeL"]["value"] for entry in analysis["rounds"]]
    per_unit = (heights[0] - heights[1]) / (values[1] - values[0])
    assert per_unit > 0
    for height, value in zip(heights, values, strict=True):
        assert height - heights[0] == pytest.approx((values[0] - value) * per_unit, abs=0.02)
    assert [point.get("class") for point in points] == ["point", "point kept", "point", "point"]
    bars = [one for one in drawing.findall("line") if one.get("x1") == one.get("x2")]
    for bar, height in zip(bars, heights, strict=True):
        assert float(bar.get("y2") or 0) < height < float(bar.get("y1") or 0)


def gaps(markup: str, title: str) -> tuple[float, list[float], list[tuple[float, float]]]:
    """Where a drawing of slices has no gap, its points, and their intervals."""
    drawing = drawings(markup)[title]
    (zero,) = (float(x.get("x1") or 0) for x in drawing.findall("line") if x.get("class") == "zero")
    points = [float(point.get("cx") or 0) for point in drawing.findall("circle")]
    spans = [(float(one.get("x1") or 0), float(one.get("x2") or 0)) for one in
             drawing.findall("line") if "whisker" in (one.get("class") or "")]  # fmt: skip
    return zero, points, [span for span in spans if span[0] != span[1]]


def test_a_gap_stands_right_of_no_gap_in_its_interval(analysis: Document) -> None:
    zero, points, wide = gaps(page(analysis), FOREST)
    assert len(points) == 3 and min(points) > zero
    assert all(zero < low < x < high for x, (low, high) in zip(points, wide, strict=True))


def test_slices_that_may_be_chance_are_drawn_only_where_no_other_is(analysis: Document) -> None:
    assert DOUBTFUL not in drawings(page(analysis))
    held = {piece.slice for piece in findings.weak(whole(analysis))[1]}
    for piece in (piece for entry in analysis["rounds"] for piece in entry["slices"]):
        if piece["slice"] in held:
            piece["holds"] = False
    markup = page(analysis)
    assert FOREST not in drawings(markup)
    zero, points, wide = gaps(markup, DOUBTFUL)
    assert len(points) == 5 and [low > zero for low, _ in wide] == [True] * 3 + [False] * 2


def test_a_summary_alone_and_an_empty_document(document: Document) -> None:
    text = Reader(page(document)).text
    assert "truncated 131 9 6 7" in text
    assert "Nothing was scored." in Reader(page({})).text


@pytest.mark.nightly(but_each=9)
@pytest.mark.parametrize("part", ["slice_errors", "ledger", "categories", "answer_lengths",
                                  "causes", "examples", "added"])  # fmt: skip
def test_a_part_that_failed_says_so(analysis: Document, part: str) -> None:
    analysis["tables"].pop(part, None)
    analysis["failed"] = {part: "the query did not end"}
    text = Reader(page(analysis)).text
    assert text.count("the query did not end") == 2
    assert "This part is incomplete." in text


def test_the_rules_given_to_the_browser_name_just_this_script_and_style(analysis: Document) -> None:
    read = Reader(page(analysis))
    (rules,) = (
        attrs["content"] or "" for tag, attrs in read.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert rules.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(read.own[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in rules
    assert "unsafe" not in rules


@pytest.mark.nightly(but_each=21)
@pytest.mark.parametrize("text", hostile_texts.TEXTS, ids=lambda text: ascii(text[:30]))
def test_hostile_text_stays_text(analysis: Document, text: str) -> None:
    markup = page(hostile_texts.filled(analysis | {"failed": {"causes": "x"}}, [text]))
    read = Reader(markup)
    assert {tag for tag, _ in read.tags} <= TAGS
    names = {name for _, attrs in read.tags for name in attrs}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src")}
    hrefs = [attrs["href"] or "" for _, attrs in read.tags if "href" in attrs]
    assert all(re.fullmatch(r"#[a-z0-9-]+", href) for href in hrefs)
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert not CONTROLS.search(markup)
    assert len(markup) < 600_000


def test_places_to_link_to_depend_on_the_id_alone(analysis: Document) -> None:
    place = anchor("shlex:quote")
    analysis["examples"].reverse()
    markup = page(analysis)
    assert f'id="{place}"' in markup and f'href="#{place}"' in markup
    assert re.fullmatch(r"example-[0-9a-f]{12}", anchor('"><script>\ud800'))


@pytest.mark.nightly
@pytest.mark.parametrize("text", ["é€ <&>\"' " * 250, "a b " * 500], ids=["escaped", "loop"])
def test_the_page_stays_small(analysis: Document, text: str) -> None:
    analysis["examples"] = [long_example(f"{n} {text}"[:2_000]) for n in range(200)]
    markup = page(analysis)
    assert len(markup.encode()) < 3_000_000
    shown = markup.count('class="example"')
    assert shown == 200 or f"{200 - shown} more are left out" in markup


def test_every_key_is_documented(
    analysis: Document, make_document: Callable[..., Document]
) -> None:
    pages = [ROOT / "docs" / name for name in ("analysis.md", "database.md")]
    told = " ".join(page.read_text(encoding="utf-8") for page in pages)
    known = set(re.findall(r"`(\w+)`", told))
    for name, rows in analysis["tables"].items():  # a table's columns are those of its query
        columns = set(re.findall(r"\w+", QUERIES[name].sql)) if name in QUERIES else known
        assert {key for row in rows for key in row} <= columns, name
    extra = set(analysis) - set(make_document())
    example, cause = analysis["examples"][0], analysis["examples"][1]["cause"]
    parts = [extra, analysis["tables"], example, example["answers"][0], cause,
             analysis["remedies"][0], analysis["queries"][0],
             next(iter(analysis["causes_known"].values()))]  # fmt: skip
    assert {key for part in parts for key in part} <= known
