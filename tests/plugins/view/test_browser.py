"""The page in a real browser: a run that is followed, keys, hostile texts, accessibility."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness_view.rows import PER_PAGE
from harness_view.written import write
from tests.plugins.view.served import Served, served
from tests.support import nightly
from tests.support.browser import MILLISECONDS, launched, unfit
from tests.support.project import CONFIG, FAKES, SUPPORT, Project, Result
from tests.support.waiting import LONG, until

Finished = tuple[Project, Result]
PARTS = ("now", "rounds", "rows", "added")
TRAINER = """
from pathlib import Path

import harness
from tests.support.fakes import FakeTrainer
from tests.support.waiting import until


class Gated(FakeTrainer):
    name = "gated"

    def train(self, base, train, valid, context):
        context.progress(1, 3, "steps", loss=0.5)
        until(Path("go").exists)
        return super().train(base, train, valid, context)


@harness.hookimpl
def register_trainers():
    return [Gated]
"""
SHORT = CONFIG.replace("rounds: 3", "rounds: 2")
HOSTILE = (
    SHORT.replace(f"plugins: [{FAKES}]", f"plugins: [{SUPPORT / 'hostile_rows.py'}, {FAKES}]")
    .replace("{source: fake}", "{source: hostile}", 1)
    .replace("generate: {plugin: fake}", "generate: {plugin: hostile}")
    .replace("train: {plugin: fake}", "train: {plugin: hostile}")
    .replace("detect: [fake]", "detect: [hostile]")
    .replace("analyze: [fake]", "analyze: [hostile]")
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A window whose page keeps what it is told, unless it is loaded anew."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    yield page
    assert errors == []
    context.close()


@pytest.fixture
def gated(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A run whose trainings wait for the file ``go``."""
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT.parent.parent))
    project.write(TRAINER, "gated.py")
    config = SHORT.replace("plugins: [", "plugins: [gated.py, ")
    project.write(config.replace("train: {plugin: fake}", "train: {plugin: gated}"))
    return project


@pytest.fixture
def page(finished: Finished) -> Iterator[Served]:
    with served(finished[0]) as page:
        yield page


def shown(tab: Any) -> str:
    return str(tab.inner_text("main"))


def seen(tab: Any, text: str) -> None:
    """Wait until the page says it."""
    tab.locator("main", has_text=text).wait_for()


def test_a_run_is_followed_from_start_to_end_without_a_reload(
    gated: Project, tab: Any, as_outside: None
) -> None:
    with gated.start("iterate", "--view") as command:
        assert command.stderr is not None
        line = next(line for line in command.stderr if "the page of this run" in line)
        tab.goto(line.rpartition(" ")[2].strip())
        seen(tab, "round 1: train")
        tab.evaluate("window.same = true")
        seen(tab, "loss 0.5")
        (gated.folder / "go").touch()
        command.stderr.read()
        seen(tab, "Now finished")
        assert "round 2: improved" in shown(tab)
    seen(tab, "does not answer")
    assert command.returncode == 0 and tab.evaluate("window.same")


@pytest.mark.nightly
def test_a_killed_run_says_so_and_what_goes_on_and_then_its_verdict(
    gated: Project, tab: Any, as_outside: None
) -> None:
    with gated.start("iterate") as command, served(gated) as page:
        until(lambda: [*gated.folder.glob(".harness/runs/*/live.json")], "the run")
        tab.goto(page.link)
        seen(tab, "round 1: train")
        tab.evaluate("window.same = true")
        os.kill(command.pid, signal.SIGKILL)
        command.wait(LONG)
        seen(tab, "its process was killed")
        assert "Go on with: harness iterate" in shown(tab)
        (gated.folder / "go").touch()
        assert gated.process("iterate").code == 0
        seen(tab, "Now finished")
        tab.locator(".banner", has_text="on test").wait_for()
        assert tab.evaluate("window.same")


def test_keys_walk_through_the_rows(page: Served, tab: Any, finished: Finished) -> None:
    run = finished[1].document["run"]
    tab.goto(page.link)
    tab.click("text=Rows >> nth=0")
    tab.wait_for_url("**/rows")
    names = tab.eval_on_selector_all("a.row", "links => links.map(a => a.textContent)")
    focused = "document.activeElement.textContent"
    for key, name in (("j", names[0]), ("j", names[1]), ("j", names[2]), ("k", names[1])):
        tab.keyboard.press(key)
        assert tab.evaluate(focused) == name
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/row?*")
    assert names[1] in shown(tab) and "Answers against the reference" in shown(tab)
    tab.keyboard.press("Escape")
    tab.wait_for_url("**/rows#*")
    assert tab.evaluate(focused) == names[1]
    tab.keyboard.press("j")
    assert tab.evaluate(focused) == names[2]
    tab.keyboard.press("/")
    tab.keyboard.type("dev-3 j")
    assert tab.evaluate("document.activeElement.value") == "dev-3 j"
    tab.fill("#words", "fjord")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/rows?words=fjord**")
    assert "of 48 rows" in shown(tab)
    tab.select_option("#choice-show", "fixed")
    tab.wait_for_url("**show=fixed**")
    assert f"/run/{run}/rows?" in tab.url and "words=fjord" in tab.url
    tab.go_back()
    tab.wait_for_url("**/rows?words=fjord**")
    assert tab.input_value("#choice-show") == "" and tab.input_value("#words") == "fjord"


def test_what_a_reader_opened_and_sorted_stays_when_something_is_new(
    page: Served, tab: Any, finished: Finished
) -> None:
    project, result = finished
    run = result.document["run"]
    tab.goto(page.link)
    tab.goto(f"{page.base}/view/run/{run}/rounds")
    tab.evaluate("document.querySelectorAll('#shown details').forEach(d => d.open = true)")
    tab.click("#shown table.sortable th button >> nth=0")
    sorted_ = "document.querySelectorAll('#shown th[aria-sort]').length"
    opened = "document.querySelectorAll('#shown details[open]').length"
    before, mark = tab.evaluate(opened), tab.get_attribute("#shown", "data-mark")
    live = project.folder / ".harness" / "runs" / run / "live.json"
    live.write_text(json.dumps({**json.loads(live.read_text()), "updated": "2031-01-01T00:00:00Z"}))
    until(lambda: tab.get_attribute("#shown", "data-mark") != mark, "something new")
    assert tab.evaluate(opened) == before > 0 and tab.evaluate(sorted_) == 1


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(400, "light"), pytest.param(1280, "dark", marks=pytest.mark.nightly)],
)
def test_each_part_fits_and_breaks_no_rule_of_accessibility(
    page: Served, chromium: Any, finished: Finished, width: int, scheme: str
) -> None:
    axe = importlib.util.find_spec("axe_playwright_python")
    if axe is None or axe.submodule_search_locations is None:
        unfit("no axe-core here: pip install axe-playwright-python")
    rules = Path(axe.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")  # type: ignore[union-attr, index]
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True,
        is_mobile=width < 500,
    )  # fmt: skip
    context.set_default_timeout(MILLISECONDS)
    tab = context.new_page()
    tab.goto(page.link)
    here = f"{page.base}/view/run/{finished[1].document['run']}"
    others = ("rounds", "rows?words=none", "../../runs") if nightly.FULL else ()
    for part in ("now", "rows", "added", "row?id=dev-17", *others):
        tab.goto(f"{here}/{part}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, part
        tab.evaluate(rules)
        found = tab.evaluate("axe.run()")["violations"]
        assert [(rule["id"], [n["html"][:200] for n in rule["nodes"]]) for rule in found] == [], (
            part
        )
    context.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("hostile"))
    made.write(HOSTILE)
    assert made.inside("iterate").code == 0
    return made


def test_hostile_texts_and_names_do_nothing(
    hostile: Project, tab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    [run] = (folder.name for folder in (hostile.folder / "reports").iterdir())
    with served(hostile) as page:
        tab.goto(page.link)
        here = f"{page.base}/view/run/{run}"
        for part in (*PARTS, "../../runs"):
            tab.goto(f"{here}/{part}")
            harmless(tab)
        tab.goto(f"{here}/rows")
        links = tab.eval_on_selector_all("a.row", "links => links.map(a => a.href)")
        assert len(links) == PER_PAGE
        for link in links[:: 1 if nightly.FULL else 20]:
            tab.goto(link)
            assert "Answers" in shown(tab)
            harmless(tab)
        assert all(address.startswith(page.base) for address in asked)
    monkeypatch.chdir(hostile.folder)
    write(run, tmp_path / "page")
    tab.goto("about:blank")
    asked.clear()
    for file in sorted((tmp_path / "page").rglob("*.html"))[:: 1 if nightly.FULL else 25]:
        tab.goto(file.as_uri())
        harmless(tab)
    assert [address for address in asked if not address.startswith("file:")] == []


def harmless(tab: Any) -> None:
    assert tab.evaluate("window.__pwned") is None and "pwned" not in tab.title()
    made = "document.querySelectorAll('main script, main style, main img, main iframe').length"
    assert tab.evaluate(made) == 0
    assert tab.evaluate(HANDLERS) == 0


HANDLERS = """[...document.querySelectorAll("main *")].filter(
  (e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length"""


@pytest.mark.nightly
def test_twenty_viewers_see_what_is_new(page: Served, chromium: Any, finished: Finished) -> None:
    project, result = finished
    run = result.document["run"]
    contexts = [chromium.new_context() for _ in range(20)]  # as many browsers
    tabs = [context.new_page() for context in contexts]
    for tab in tabs:
        tab.goto(page.link, timeout=MILLISECONDS)
    live = project.folder / ".harness" / "runs" / run / "live.json"
    said = [{"at": "2026-12-03T08:00:00Z", "text": "something new was said"}]
    live.write_text(json.dumps({**json.loads(live.read_text()), "lines": said, "updated": "x"}))
    for tab in tabs:
        until(lambda tab=tab: "something new was said" in shown(tab), "the sentence")  # type: ignore[misc]
    for context in contexts:
        context.close()
