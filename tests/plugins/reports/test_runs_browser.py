"""The page of all runs in a real Chromium: sorted and filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.reports.faces import runs_page
from tests.plugins.reports.runs_document import document, poisoned
from tests.plugins.reports.test_browser import ACT, CONTRAST, STATE
from tests.support.browser import Tab, launched

Document = dict[str, Any]
Saved = Callable[[Document], str]

SHOWN = """[...document.querySelectorAll("#runs > tbody")].filter((e) => !e.hidden)
    .map((e) => e.dataset.number ?? e.textContent)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with launched() as chromium:
        yield Tab(chromium)


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    def save(found: Document) -> str:
        path = tmp_path / "runs.html"
        path.write_text(runs_page(found), encoding="utf-8")
        return path.as_uri()

    return save


def test_it_is_sorted_filtered_and_opened(browser: Tab, saved: Saved) -> None:
    browser.open(saved(document()))

    def sorted_by(column: int) -> tuple[list[str], str]:
        head = f'document.querySelector("#runs").tHead.rows[0].cells[{column}]'
        browser.evaluate(f"{head}.querySelector('button').click()")
        return browser.evaluate(SHOWN), browser.evaluate(f"{head}.getAttribute('aria-sort')")

    # Never ranked as one: the highest score of all is of other rows.
    groups = ["dev A: overlap on 48 rows of dev", "dev B: overlap on 48 rows of dev"]
    ascending = [groups[0], "1", "2", groups[1], "3"]
    assert sorted_by(4) == (ascending, "ascending")
    told = browser.evaluate('document.getElementById("order").textContent')
    assert "not ranked with each other" in told
    assert sorted_by(4) == ([groups[0], "2", "1", groups[1], "3"], "descending")
    opened, unopened = "test A: overlap on 48 rows of test", "test not opened"
    assert sorted_by(6)[0] == [opened, "1", unopened, "2", "3"]
    assert sorted_by(0)[0] == ["1", "2", "3"] and sorted_by(0)[0] == ["3", "2", "1"]
    assert sorted_by(5)[0] == ["2", "3", "1"]  # improved rounds minus regressed ones

    def filtered(field: str, value: str) -> list[str]:
        browser.evaluate(f"""(() => {{ const e = document.getElementById("{field}");
            e.value = "{value}"; e.dispatchEvent(new Event("input", {{bubbles: true}})); }})()""")
        found: list[str] = browser.evaluate(SHOWN)
        return found

    assert filtered("verdict", "regressed") == ["2"]
    assert filtered("verdict", "") == ["2", "3", "1"]
    assert filtered("model", "model of run-3") == ["3"] and len(filtered("model", "")) == 3
    assert filtered("find", "4.2 GB") == ["1"]  # an arm's words find its run
    assert browser.evaluate('document.getElementById("found").textContent') == "1 of 3"
    sorted_by(4)
    assert filtered("find", "4.2 GB") == [groups[0], "1"]
    filtered("find", "")

    assert filtered("find", "model of run-2") == [groups[0], "2"]
    browser.evaluate("""document.querySelector('#run-2 a[href="#run-1"]').click()""")
    assert "1" in browser.evaluate(SHOWN)
    assert browser.evaluate('document.getElementById("find").value') == ""
    assert browser.evaluate("location.hash") == "#run-1"


@pytest.mark.nightly
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [420, 1400])
def test_it_fits_its_width_and_all_text_stands_out(
    browser: Tab, saved: Saved, width: int, dark: bool
) -> None:
    browser.open(saved(document()), width=width, dark=dark)
    browser.evaluate('for (const e of document.querySelectorAll("details")) e.open = true;')
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelector('.scroll').scrollWidth") <= width
    assert browser.evaluate(CONTRAST) == []


def test_hostile_text_does_nothing(browser: Tab, saved: Saved) -> None:
    address = saved(poisoned())
    browser.open(address)
    browser.evaluate(ACT)
    state = browser.evaluate(STATE)
    assert state["canary"] is None and "pwned" not in state["title"].split()
    assert state["scripts"] == 1 and state["acting"] == [] and state["links"] == []
    assert browser.asked == [address] and state["place"] == "file:"
    assert "<script>" in state["text"]
