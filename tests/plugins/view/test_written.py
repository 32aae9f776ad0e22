"""The page as files: the same without a server, and what is left out is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import harness_view.written
from tests.support.browser import MILLISECONDS, launched
from tests.support.project import Project, Result
from tests.support.waiting import until

Finished = tuple[Project, Result]


@pytest.fixture(scope="module")
def folder(finished: Finished) -> Path:
    done = finished[0].inside("view", "--to", "page")
    assert done.code == 0 and "written: page/index.html" in done.err
    return finished[0].folder / "page"


def test_every_link_leads_to_a_file(folder: Path) -> None:
    import re

    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert {"index.html", "rounds.html", "rows.html", "rows-1.html", "added.html"} <= names
    assert sum(name.startswith("rows/") for name in names) == 48 + 30
    for file in folder.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#]+)', file.read_text(encoding="utf-8")):
            assert (file.parent / link).is_file(), (file, link)


def test_a_browser_shows_it_from_the_disk_and_filters_its_rows(folder: Path) -> None:
    with launched() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(MILLISECONDS)
        tab, asked = context.new_page(), []
        errors: list[Any] = []
        tab.on("pageerror", lambda error: errors.append(error))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto((folder / "index.html").as_uri())
        assert (
            tab.evaluate("getComputedStyle(document.querySelector('.banner')).borderLeftWidth")
            == "6px"
        )
        tab.click("text=Rows >> nth=0")
        seen = "[...document.querySelectorAll('table.rows tbody tr')].filter(r => !r.hidden).length"
        until(lambda: tab.evaluate(seen) == 48, "all rows")
        tab.select_option("#choice-show", "fixed")
        assert tab.evaluate(seen) == 1 and "1 of 48 rows" in tab.inner_text("#count")
        tab.select_option("#choice-show", "")
        tab.select_option("#choice-slice", index=1)
        assert 0 < tab.evaluate(seen) < 48
        tab.select_option("#choice-slice", "")
        tab.fill("#words", "DEV17")
        assert tab.evaluate(seen) == 1
        tab.keyboard.press("Escape")
        tab.keyboard.press("j")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/rows/*.html")
        assert "dev-17" in tab.inner_text("main")
        tab.keyboard.press("Escape")
        tab.wait_for_url("**/rows.html#*")
        tab.click("text=round 1 >> nth=0")
        tab.wait_for_url("**/rows-1.html")
        assert errors == [] and all(address.startswith("file:") for address in asked)


def test_more_rows_than_it_takes_are_counted(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness_view.written, "MOST", 20)
    project, _ = finished
    done = project.inside("view", "--to", "short")
    said = "left out: 28 of 48 rows of dev, 10 of 30 added rows; harness view"
    assert done.code == 0 and said in done.err
    assert said in (project.folder / "short" / "rows.html").read_text(encoding="utf-8")
    assert len([*(project.folder / "short" / "rows").iterdir()]) == 20


def test_a_folder_that_holds_something_is_left_as_it_is(finished: Finished) -> None:
    project, _ = finished
    (project.folder / "mine").mkdir(exist_ok=True)
    (project.folder / "mine" / "file").write_text("mine")
    for given, says in (("mine", "no empty folder"), ("none/page", "there is no folder none")):
        done = project.inside("view", "--to", given)
        assert done.code == 2 and says in done.err
    assert [*(project.folder / "mine").iterdir()] == [project.folder / "mine" / "file"]


def test_a_disk_that_is_full_leaves_nothing_behind(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    project, _ = finished
    before = {*project.folder.iterdir()}
    write_text = Path.write_text

    def full(path: Path, text: str, **rest: Any) -> int:
        if path.name == "rounds.html":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write_text(path, text, **rest)

    monkeypatch.setattr(Path, "write_text", full)
    done = project.inside("view", "--to", "full")
    assert done.code == 3 and "space" in done.err and {*project.folder.iterdir()} == before


def test_a_run_that_there_is_not_is_said(finished: Finished, project: Project) -> None:
    done = finished[0].inside("view", "harness-0", "--to", "page2")
    assert done.code == 2 and "no run is called 'harness-0'" in done.err
    done = project.inside("view")
    assert done.code == 2 and "harness iterate --view" in done.err
