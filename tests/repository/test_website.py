"""The site of the docs: whole, without a broken link, and without anything of another host."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from markdown_it import MarkdownIt

from tests.support.browser import Tab, launched
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import website  # noqa: E402

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
FORM = {
    "h1", "h2", "h3", "h4", "table", "tr", "ol", "ul", "li", "pre", "code", "em", "strong", "img",
}  # fmt: skip
LISTS = {"ol", "ul", "li"}
ELSEWHERE = re.compile(r"(?:\w+:)?//|mailto:")


class Page(HTMLParser):
    """What a page of HTML leads to and loads, and the form of its text.

    Attributes:
        ids: what a link may lead to within it.
        headings: the ids of its headings, in order.
        leads: the targets of its links, and of the links beside the text in order (`menu`).
        loads: what a browser fetches with it.
        address: its own, once the site is published.
        form: how often each element of `FORM` stands in its text, with the lists around it.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.headings: list[str] = []
        self.leads: list[str] = []
        self.menu: list[str] = []
        self.loads: list[str] = []
        self.address = ""
        self.form: Counter[str] = Counter()
        self._inside = False
        self._lists: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self._inside |= tag == "article"
        self.ids |= {values["id"]} if "id" in values else set()
        if self._inside and tag in FORM:
            self.form["/".join([*self._lists, tag])] += 1
            self._lists += [tag] if tag in LISTS else []
        if self._inside and re.fullmatch("h[1-6]", tag):
            self.headings.append(values.get("id", ""))
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])
            if "md-nav__link" in values.get("class", "") and not self._inside:
                self.menu.append(values["href"])
        elif values.get("rel") == "canonical":
            self.address = values["href"]
        elif address := values.get("src") or values.get("href") or values.get("data"):
            self.loads.append(address)

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._inside = False
        elif self._inside and tag in LISTS:
            self._lists.pop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("zensical", reason="zensical is not installed: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("docs") / "site"
    website.build(folder)
    return folder


@pytest.fixture(scope="module")
def html(site: Path) -> dict[str, Page]:
    """Each page by its name, as that of `docs/`."""
    return {
        path.relative_to(site).with_suffix("").as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
    }


def listed() -> list[str]:
    """The pages that the index names, in its order."""
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^- \[.*?\]\((\S+)\.md\):", index, re.M)


def name_of(page: str) -> str:
    return "index" if page == "README" else page


def test_site_has_every_page_in_the_order_of_the_index_and_finds_it(
    site: Path, html: dict[str, Page]
) -> None:
    assert set(html) == {*map(name_of, PAGES), "404"}
    menu = [link.removeprefix("./").removesuffix(".html") for link in html["index"].menu]
    assert len(listed()) > 40
    assert [page for page in menu if page in listed()] == listed()
    assert {page for page in PAGES if page != "README"} <= set(menu)
    search = json.loads((site / "search.json").read_text("utf-8"))
    assert {item["location"].partition(".html")[0] for item in search["items"]} == {
        *map(name_of, PAGES)
    }


def test_links_of_the_site_lead_somewhere(site: Path, html: dict[str, Page]) -> None:
    home = website.project()["urls"]["Documentation"]
    gone = []
    for name, page in html.items():
        for link in [*page.leads, *page.loads]:
            if ELSEWHERE.match(link):
                continue
            address = urljoin(f"{home}{name}.html", link)
            path, _, anchor = unquote(address.removeprefix(home)).partition("#")
            ids = html[path.removesuffix(".html")].ids if path.endswith(".html") else set()
            if not (site / path).is_file() or (anchor and anchor not in ids):
                gone.append((name, link))
    assert gone == []
    assert {page.address for page in html.values()} >= {f"{home}{name}.html" for name in listed()}


def test_links_out_of_the_docs_lead_to_files_of_the_repository(html: dict[str, Page]) -> None:
    place = f"{website.project()['urls']['Repository']}/blob/main/"
    paths = {
        link.removeprefix(place).partition("#")[0]
        for page in html.values()
        for link in page.leads
        if link.startswith(place)
    }
    assert {"README.md", "SECURITY.md", "benchmarks/sizes.md"} <= paths
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_pages_ask_no_other_host(site: Path, html: dict[str, Page]) -> None:
    loads = [(name, link) for name, page in html.items() for link in page.loads]
    assert len(loads) > len(html)
    assert [(name, link) for name, link in loads if ELSEWHERE.match(link)] == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert "{" in styles
    assert re.findall(r"@import[^;]*|url\([\"']?(?:\w+:)?//[^)]*", styles) == []


def test_site_reads_pages_as_a_code_host_does(html: dict[str, Page]) -> None:
    """The same anchors, and as many lists, tables, blocks of code and so on."""
    reader = MarkdownIt("commonmark").enable("table")
    for name in PAGES:
        text, shown = (DOCS / f"{name}.md").read_text("utf-8"), html[name_of(name)]
        tokens = reader.parse(text)
        titles = [
            "".join(part.content for part in inline.children or [])
            for token, inline in itertools.pairwise(tokens)
            if token.type == "heading_open"
        ]
        anchors = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
        assert shown.headings == anchors, name
        assert shown.form == Page(f"<article>{reader.render(text)}</article>").form, name


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


DIALOG = "[...document.querySelectorAll('*')].map(e => e.shadowRoot).find(e => e).firstElementChild"
FIELD = f"{DIALOG}.querySelector('input')"


@pytest.mark.nightly
def test_a_browser_shows_and_searches_the_site_and_asks_no_other_host(address: str) -> None:
    with launched() as browser:
        tab = Tab(browser)
        for page in map(name_of, PAGES):
            tab.open(f"{address}{page}.html", width=400)
            assert tab.evaluate("document.documentElement.scrollWidth") <= 400, page
            assert [link for link in tab.asked if not link.startswith((address, "blob:"))] == []
        grounds = []
        for dark in (False, True):
            tab.open(f"{address}index.html", dark=dark)
            grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(set(grounds)) == 2
        tab.evaluate("document.querySelector('.md-search__button').click()")
        until(lambda: tab.evaluate(f"{FIELD} !== null"), "a field for words")
        tab.evaluate(f"{FIELD}.value = 'bootstrap'")
        # What is typed before the index has arrived is not searched.
        typed = f"{FIELD}.dispatchEvent(new Event('input', {{bubbles: true}}))"
        shown = f"{typed}, {DIALOG}.innerText.includes('Statistics')"
        until(lambda: tab.evaluate(shown), "a page in it")
        tab.close()
