"""A page: as one file, or with links to its files under a policy that allows no inline ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.kit.blocks import Column, Heading, Table
from harness.kit.html.markup import Html, element, joined
from harness.kit.html.page import Page, linked, look, resource, whole
from harness.kit.html.sections import contents, sections
from tests.support.browser import Tab, launched

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'"
ROWS = (("b", 2), ("a", 10), ("c", 1))
SCRIPTS = {f"/{file}": resource("harness.kit.html", file) for file in ("sorting.js", "page.js")}


def page() -> Page:
    columns = (Column("word"), Column("times", "number"))
    shown = sections([Heading("Words"), Table(columns, ROWS, "Words")])
    return Page(
        "a < b",
        element("header", element("h1", "Words & more"), contents(shown)),
        joined(section.html for section in shown),
        (Html("h1 { color: rgb(1, 2, 3); }"),),
        tuple(SCRIPTS.values()),
    )


@pytest.fixture
def address() -> Iterator[str]:
    """Where the linked page is served, with a policy that allows nothing inline."""
    files = {"/": linked(page(), ["/all.css", "/own.css"], SCRIPTS), "/all.css": look()}
    files |= {"/own.css": joined(page().styles), **SCRIPTS}

    class Serving(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind = {"css": "css", "js": "javascript"}.get(self.path.rpartition(".")[2], "html")
            self.send_response(200 if self.path in files else 404)
            self.send_header("Content-Type", f"text/{kind}")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(files.get(self.path, "").encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_linked_page_looks_and_works_as_the_one_file(
    address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(whole(page()), encoding="utf-8")
    looks = []
    with launched() as chromium:
        tab = Tab(chromium)
        for place in (file.as_uri(), address):
            tab.open(place)
            tab.evaluate('document.querySelectorAll("th button")[1].click()')
            looks.append(tab.evaluate(LOOK))
        tab.close()
    assert looks[0] == looks[1]
    assert looks[0]["words"] == ["c", "b", "a"] and looks[0]["colour"] == "rgb(1, 2, 3)"


LOOK = """(() => ({
  words: [...document.querySelectorAll("tbody tr")].map((row) => row.cells[0].textContent),
  colour: getComputedStyle(document.querySelector("h1")).color,
  places: [...document.querySelectorAll("body *:not(script)")]
    .map((e) => [e.tagName, JSON.stringify(e.getBoundingClientRect())]),
  title: document.title,
}))()"""


def test_an_address_is_an_attribute() -> None:
    text = linked(page(), ['/a"><script>'], ['/b"><script>'])
    assert 'href="/a&quot;&gt;&lt;script&gt;"' in text and text.count("<script") == 1
    assert "<style" not in text and "<title>a &lt; b</title>" in text
