"""The page of all runs: what it says without a script, hostile text, many runs, broken pieces."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from typing import Any

import pytest

from harness_reports.html.runs import page_of_runs
from tests.plugins.reports.faces import runs_page
from tests.plugins.reports.runs_document import document, poisoned, run_of

Document = dict[str, Any]
VOID = {"meta", "input", "br", "hr"}


class Reader(HTMLParser):
    """The elements, links and words of a page; an element that is not closed is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_it_says_of_each_run_what_it_is_and_calls_nothing_on_dev_a_result() -> None:
    page = Reader(runs_page(document()))
    for told in (
        "3 runs", "are no result", "dev A : overlap on 48 rows of dev (2 runs",
        "against run 1", "train.gain 0.01 → 0.02", "0.400 [0.350, 0.450]", "Score on dev",
        "1–2 ▲ improved", "3 ◆ no evidence", "opening 3: bound .05/6", "sealed", "not finished",
        "1 of 3 rounds closed", "settings arm fast", "improved +0.030 [+0.010, +0.050] against",
        "failed: the base model needs 4.2 GB", "50 % of the rows 2 seeds", "worth it: open",
        "[0.360, 0.460] failed: seed 1: no disk", "Twice the rows bring +0.010.",
        "81,234 tokens", "2.4 GB", "baseline prompted",
        "best round: ▲ improved",
    ):  # fmt: skip
        assert told in page.text, told
    assert page.text.count("result") == 2  # of the caution, and the head of the column of test
    heads = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert heads.count("col") == 9 and None not in heads


def test_nothing_comes_from_elsewhere_and_links_stay_here() -> None:
    found = document()
    found["runs"][0]["report"] = "reports/a b#javascript:x/report.html"
    page = Reader(runs_page(found))
    links = [str(attributes["href"]) for _, attributes in page.tags if "href" in attributes]
    assert links[0] == "./reports/a%20b%23javascript%3Ax/report.html"
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert links[1:] and {link[1:] for link in links[1:] if link.startswith("#")} <= ids
    assert not [tag for tag, attributes in page.tags if {"src", "style"} & attributes.keys()]
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert str(policy).startswith("default-src 'none'")


def test_hostile_text_is_text() -> None:
    page = Reader(runs_page(poisoned()))
    kinds = {tag for tag, _ in page.tags}
    assert not kinds & {"img", "iframe", "object", "embed", "link", "base", "video", "b onload"}
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [name for _, attributes in page.tags for name in attributes if name[:2] == "on"]
    assert "<script>" in page.text and "\x1b" not in page.text


@pytest.mark.parametrize("count", [0, 1])
def test_few_runs(count: int) -> None:
    found = document()
    found["runs"] = found["runs"][:count]
    found["groups"] = found["groups"] if count else []
    page = Reader(runs_page(found))
    assert (f"{count} run" + "s" * (count == 0)) in page.text
    assert ("harness iterate" in page.text) is (count == 0)
    assert "form" not in {tag for tag, _ in page.tags}


def test_scores_that_are_missing_are_said_to_be_so() -> None:
    found = document()
    found["runs"][0]["dev"] |= {"value": None, "low": None, "high": None}
    found["runs"][1]["dev"] |= {"low": None, "high": None}
    assert "not scored" in Reader(runs_page(found)).text


def test_hundreds_of_runs_stay_small() -> None:
    found = document()
    one = run_of("x", 0)
    found["runs"] = [copy.deepcopy(one) | {"run": f"run-{n}"} for n in range(300)]
    page = runs_page(found)
    assert len(page.encode()) < 1_000_000
    assert "300 runs" in Reader(page).text


def test_names_lead_where_they_are_told_to_lead() -> None:
    found = poisoned()
    found["runs"][0]["report"] = "reports/x/report.html"
    page = page_of_runs(found, link=lambda run: f'/run/{run}">')
    tags = Reader(page.main).tags
    links = [str(attributes["href"]) for tag, attributes in tags if tag == "a"]
    runs = [link for link in links if not link.startswith("#run-")]
    assert len(runs) == len(found["runs"]) and all(link.startswith("/run/") for link in runs)
    assert {tag for tag, _ in tags} == {tag for tag, _ in Reader(page_of_runs(found).main).tags}
