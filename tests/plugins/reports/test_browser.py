"""The page in a real Chromium: hostile text does nothing, and people can read it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.kit.html.answers import anchor
from tests.plugins.reports.faces import page as html_page
from tests.support import hostile_texts
from tests.support.browser import Listener, Tab, launched
from tests.support.waiting import until

Document = dict[str, Any]


def page(document: Document) -> str:
    """The page with the sections that always stand in it."""
    return html_page(document)


# A page that behaves: what makes it fail is listed, so that a failure says what it was.
STATE = """
(() => {
  const all = [...document.querySelectorAll("*")];
  const acting = all.filter((e) => [...e.attributes].some((a) => /^on|^style$|^src/i.test(a.name)));
  const links = [...document.querySelectorAll("[href]")].filter(
    (e) => !/^#[a-z0-9-]+$/.test(e.getAttribute("href")));
  return {canary: window.CANARY || null, title: document.title,
          scripts: document.scripts.length, acting: acting.map((e) => e.outerHTML),
          links: links.map((e) => e.outerHTML), tags: [...new Set(all.map((e) => e.tagName))],
          text: document.body.innerText, place: location.protocol};
})()""".replace("CANARY", hostile_texts.CANARY)
# Text is read against the nearest background that is not see-through.
CONTRAST = """
(() => {
  const parts = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => parts(c).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return getComputedStyle(at).backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest("script")) continue;
    const style = getComputedStyle(e);
    const ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([e.tagName, e.className.baseVal ?? e.className, ink, ratio]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def listener() -> Iterator[Any]:
    found = Listener()
    yield found
    found.socket.shutdown(socket.SHUT_RDWR)
    found.socket.close()


@pytest.fixture(scope="module")
def browser(listener: Any) -> Iterator[Tab]:
    """Its hosts under ``.example`` are the listener."""
    hosts = f"--host-resolver-rules=MAP *.example 127.0.0.1:{listener.port}"
    with launched(hosts) as chromium:
        yield Tab(chromium)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], str]:
    def save(markup: str) -> str:
        path = tmp_path / "report.html"
        path.write_text(markup, encoding="utf-8")
        return path.as_uri()

    return save


@pytest.fixture
def poisoned(analysis: Document) -> Document:
    """Hostile text everywhere, and each text as an example, a slice and a kind of error."""
    texts = hostile_texts.TEXTS
    found: Document = hostile_texts.filled(analysis | {"failed": {"causes": "x"}}, texts)
    example, piece = found["examples"][0], found["rounds"][1]["slices"][0]
    found["examples"] = [
        example | {"id": text, "prompt": text, "reference": text, "answer": text[::-1],
                   "errors": [text], "course": text, "place": text,
                   "references": [text, text[:-1]]}
        for text in texts
    ]  # fmt: skip
    found["rounds"][1]["slices"] += [piece | {"slice": text} for text in texts]
    found["rounds"][1]["errors"] = dict.fromkeys(texts, 3)
    found["tables"]["categories"] = [{"round": 1, "category": t, "answers": 3} for t in texts]
    return found


def bare_policy(markup: str) -> str:
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", markup)


ACT = """
for (const e of document.querySelectorAll("details")) e.open = true;
for (const e of document.querySelectorAll("body *")) {
  for (const kind of ["mouseover", "focus", "click", "toggle", "load", "error", "animationstart"])
    if (!(kind === "click" && e.closest("a"))) e.dispatchEvent(new Event(kind));
}"""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without its policy"])
def test_hostile_text_does_nothing(
    browser: Any, listener: Any, saved: Callable[[str], str],
    poisoned: Document, guarded: bool,
) -> None:  # fmt: skip
    before, markup = listener.calls, page(poisoned)
    address = saved(markup if guarded else bare_policy(markup))
    browser.open(address)
    browser.evaluate(ACT)
    time.sleep(0.3)
    state = browser.evaluate(STATE)
    assert state["canary"] is None and "pwned" not in state["title"].split()
    assert state["scripts"] == 1 and state["acting"] == [] and state["links"] == []
    assert not set(state["tags"]) & {"IMG", "IFRAME", "OBJECT", "EMBED", "LINK", "BASE", "VIDEO"}
    assert browser.asked == [address]
    assert listener.calls == before and state["place"] == "file:"
    # Still a report: all headings, and the texts themselves, to be read.
    for shown in (
        "Underperforming slices",
        "Among the worst",
        "<script>",
        "onerror=",
        "{{7*7}}",
        "=1+1",
    ):
        assert shown in state["text"]
    assert browser.evaluate("document.querySelectorAll('details.example').length") >= 80


def test_the_same_texts_do_harm_where_nothing_holds_them(
    browser: Any, listener: Any, saved: Callable[[str], str]
) -> None:
    """So the tests above can fail: as plain HTML these texts run scripts and ask the network."""
    before = listener.calls
    texts = [*hostile_texts.FETCHES[:7], *hostile_texts.HANDLERS, *hostile_texts.SCRIPTS]
    browser.open(saved(f"<!DOCTYPE html><p>{'<p>'.join(texts)}"))
    until(
        lambda: listener.calls > before and browser.evaluate(STATE)["canary"] == 1, "what they do"
    )
    state = browser.evaluate(STATE)
    assert state["canary"] == 1 and state["title"] == "pwned"
    assert listener.calls > before and len(browser.asked) > 1


@pytest.mark.nightly
def test_the_policy_alone_stops_scripts_too(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    raw = "<p>".join([*hostile_texts.HANDLERS, *hostile_texts.SCRIPTS])
    browser.open(saved(page(analysis).replace("<header>", f"{raw}<header>")))
    browser.evaluate(ACT)
    state = browser.evaluate(STATE)
    assert len(state["acting"]) > 5
    assert state["canary"] is None and "pwned" not in state["title"]


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", ["analysis", "poisoned"])
def test_it_fits_its_width(
    browser: Any, saved: Callable[[str], str], width: int, kind: str, request: Any
) -> None:
    browser.open(saved(page(request.getfixturevalue(kind))), width=width)
    browser.evaluate('for (const e of document.querySelectorAll("details")) e.open = true;')
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    # Letters of the charts stay readable: their drawings are scaled by no less than this.
    scales = browser.evaluate(
        '[...document.querySelectorAll("svg")].map((e) => e.getBoundingClientRect().width / 360)'
    )
    assert scales and min(scales) >= 0.8


@pytest.mark.nightly
def test_what_changed_is_seen_on_a_telephone(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    browser.open(saved(page(analysis)), width=390)
    heads = browser.evaluate(
        '[...document.querySelectorAll("thead th")].filter((e) => e.checkVisibility())'
        ".map((e) => [e.innerText, e.getBoundingClientRect().right])"
    )
    for title in ("change", "difference", "gap", "after"):
        ends = [right for text, right in heads if text == title]
        assert ends and max(ends) <= 390 - 12, title  # the page has a margin


@pytest.mark.nightly
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_stands_out_from_its_background(
    browser: Any, saved: Callable[[str], str], analysis: Document, dark: bool
) -> None:
    browser.open(saved(page(analysis | {"failed": {"causes": "x"}})), dark=dark)
    browser.evaluate('for (const e of document.querySelectorAll("details")) e.open = true;')
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 28)" if dark else "rgb(255, 255, 255)")
    assert browser.evaluate(CONTRAST) == []


@pytest.mark.nightly
def test_tables_are_sorted(browser: Any, saved: Callable[[str], str], analysis: Document) -> None:
    browser.open(saved(page(analysis)))
    table = """[...document.querySelectorAll("table")]
        .find((t) => t.caption.textContent === "Error categories by round")"""
    column = f"[...{table}.tBodies[0].rows].map((r) => Number(r.cells[1].textContent))"
    for times, way in ((1, "ascending"), (2, "descending")):
        browser.evaluate(f"{table}.tHead.rows[0].cells[1].querySelector('button').click()")
        numbers = browser.evaluate(column)
        assert numbers == sorted(numbers, reverse=times == 2)
        assert len(set(numbers)) > 3
        head = f"{table}.tHead.rows[0].cells[1].getAttribute('aria-sort')"
        assert browser.evaluate(head) == way


@pytest.mark.nightly
def test_what_is_no_number_comes_last_either_way(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    analysis["remedies"][0]["answers"] = None
    browser.open(saved(page(analysis)))
    table = """[...document.querySelectorAll("table")]
        .find((t) => t.caption.textContent.startsWith("Suggested actions"))"""
    column = f"[...{table}.tBodies[0].rows].map((r) => r.cells[1].textContent)"
    shown = [str(one["answers"]) for one in analysis["remedies"][1:]]
    for way in (1, -1):
        browser.evaluate(f"{table}.tHead.rows[0].cells[1].querySelector('button').click()")
        assert browser.evaluate(column) == [*sorted(shown, key=int)[::way], "–"]


def test_examples_are_filtered(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    analysis["examples"][0]["errors"].append("in two\nlines")
    browser.open(saved(page(analysis)))
    shown = """[...document.querySelectorAll("details.example")].filter((e) => !e.hidden)
        .map((e) => e.querySelector("b").textContent)"""
    assert len(browser.evaluate(shown)) == len(analysis["examples"])

    def choose(field: str, value: str) -> Any:
        browser.evaluate(f"""(() => {{ const e = document.getElementById("{field}");
            const named = [...(e.options ?? [])].find((one) => one.text === "{value}");
            e.value = named ? named.value : "{value}";
            e.dispatchEvent(new Event("input", {{bubbles: true}})); }})()""")
        return browser.evaluate(shown)

    wanted = [row["id"] for row in analysis["examples"] if "off topic" in row["errors"]]
    assert choose("kind", "in two lines") == [analysis["examples"][0]["id"]]
    assert wanted and choose("kind", "off topic") == wanted
    assert choose("find", "SHELL-escaped") == ["shlex:quote"]
    assert choose("course", "fixed") == []
    assert browser.evaluate('document.getElementById("found").textContent') == "0 of 4"


@pytest.mark.nightly
def test_a_link_opens_its_example(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    # The last of them is behind the line that opens the list.
    analysis["examples"] += [analysis["examples"][0] | {"id": f"further {n}"} for n in range(9)]
    row = analysis["examples"][-1]
    browser.open(f"{saved(page(analysis))}#{anchor(row['id'])}")
    found = browser.evaluate(f"""(() => {{ const e = document.getElementById("{anchor(row["id"])}");
        return [e.open, e.getBoundingClientRect().top]; }})()""")
    assert found[0] is True and 0 <= found[1] < 900


@pytest.mark.nightly
def test_it_is_read_without_a_script_and_on_paper(
    browser: Any, saved: Callable[[str], str], analysis: Document
) -> None:
    whole = page(analysis)
    browser.open(saved(whole.split("<script>")[0]))
    text = browser.evaluate("document.body.innerText")
    for told in ("Underperforming slices", "off topic", "shlex:quote", "harness iterate --rounds"):
        assert told in text
    assert "Kind of error" not in text and "↕" not in text
    browser.open(saved(whole), width=720, media="print", dark=True)
    assert (
        browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert browser.evaluate("document.documentElement.scrollWidth") <= 720
    assert not browser.evaluate('document.querySelector("nav").checkVisibility()')
