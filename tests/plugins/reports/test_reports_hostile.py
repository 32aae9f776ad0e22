"""Hostile text in every place that data, models or plugins can fill stays text."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from harness_reports.markdown import page as markdown_page
from tests.plugins.reports.faces import drawn, render

Document = dict[str, Any]


def markdown(document: Document) -> str:
    """All sections but the advice, which is another one where causes and labels are unknown."""
    found = drawn(document)
    kept = tuple(section for section in found.sections if section.name != "advise")
    return markdown_page(replace(found, sections=kept))


CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


def shown(document: Document, width: int, **console: Any) -> str:
    page = io.StringIO()
    console.setdefault("color_system", None)
    render(document, Console(file=page, width=width, **console))
    return page.getvalue()


def blocks(page: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    flat = [child for token in tokens for child in (token.children or [token])]
    harmless = ("text", "text_special", "softbreak", "fence", "inline")
    return [(token.type, token.tag) for token in flat if token.type not in harmless]


def skeleton(page: str) -> list[tuple[str, str]]:
    """Its blocks, but for what is bold: the words that differ are others in a poisoned text."""
    return [block for block in blocks(page) if block[1] not in ("strong", "em")]


def test_it_adds_nothing_to_the_markdown(analysis: Document, hostile: Document) -> None:
    analysis["failed"] = {"a part of no section": "the query did not end"}
    analysis["test"]["counting"] = "counted"
    page = markdown(hostile)
    assert skeleton(page) == skeleton(markdown(analysis))
    assert not {kind for kind, _ in blocks(page)} & {
        "html_inline", "html_block", "link_open", "image", "code_inline", "s_open",
    }  # fmt: skip
    assert len(page) < 100_000
    assert not CONTROLS.search(page)


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("width", [80, 120])
def test_it_does_nothing_in_a_terminal(hostile: Document, width: int) -> None:
    page = shown(hostile, width)
    assert not CONTROLS.search(page)
    assert "[/red][bold]x[link=http://evil.example]y[/link]" in page
    assert page.rstrip("\n").split("\n")[-1] == "  harness iterate --rounds 4"
    assert max(len(line) for line in page.split("\nNext:")[0].split("\n")) <= width
    coloured = shown(hostile, width, color_system="truecolor", force_terminal=True)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", coloured)


HEADINGS = (
    "Fixed and regressed",
    "Likeliest causes",
    "What raters say",
    "Not in this report",
    "Suggested actions",
)


def test_the_poisoned_sections_are_all_shown(hostile: Document) -> None:
    for page in (shown(hostile, 80), markdown(hostile)):
        assert all(heading in page for heading in HEADINGS)


def test_names_that_are_all_one_word_are_cut(analysis: Document) -> None:
    long = "x" * 100_000
    analysis["tables"]["causes"][0] |= {"cause": long, "remedy": long, "ids": [long] * 5}
    analysis["tables"]["ledger"][0]["kind"] = long
    analysis["tables"]["categories"][0]["category"] = long
    analysis["tables"]["slice_errors"][0]["category"] = long
    analysis["remedies"][0] |= {"remedy": long, "why": long}
    analysis["failed"] = {long: long}
    for name, keys in {
        "rated": ("title", "strategy"), "rating_scores": ("title", "rubric"),
        "win_rates": ("title",), "agreement": ("title", "why", "sentence"),
        "raters": ("rater", "title"), "validity": ("metric", "sentence"),
        "named_errors": ("category",),
    }.items():  # fmt: skip
        analysis["tables"][name][-1] |= dict.fromkeys(keys, long)
    analysis["tables"]["rated"][0]["raters"] = [long] * 50
    analysis["examples"][1] |= {"id": long, "place": long, "course": long, "errors": [long]}
    analysis["examples"][1]["cause"] |= {"cause": long, "evidence": long}
    for width in (80, 120):
        page = shown(analysis, width)
        assert max(map(len, page.split("\n"))) <= width
        assert len(page) < 33_000
    assert len(markdown(analysis)) < 30_000
