"""The rating page in a real Chromium, as raters use it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.records import Example
from harness.records.rubrics import Scale
from harness_rating.batches.records import KINDS, Batch, Event
from harness_rating.batches.sampling import Candidate
from harness_rating.batches.spec import BatchSpec
from harness_rating.exchange.importing import import_file
from harness_rating.page.pages import pack
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import fold
from harness_rating.review.batches import ReviewRow, create as review_rows
from harness_rating.review.decisions import decisions
from harness_rating.rubric.scoring import asked_criteria
from tests.plugins.rating import served as serving
from tests.support import hostile_texts, waiting
from tests.support.browser import MILLISECONDS, launched, unfit
from tests.support.ports import own_port

make_batch, make_item, make_rubric = serving.batch, serving.item, serving.rubric
item_id = serving.item_id
READY = "#work:not([hidden]) .answer"
SAVED = "#saved:has-text('Saved at')"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    serving.need("starlette", "jinja2", "uvicorn", "playwright")
    with launched() as browser:
        yield browser


class Windows:
    """Opens pages, and notes what they ask for and what goes wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser, self.contexts = browser, []
        self.asked: list[str] = []
        self.wrong: list[str] = []

    def context(self, width: int = 1280, **options: Any) -> Any:
        options = {"viewport": {"width": width, "height": 800}, **options}
        context = self.browser.new_context(**options)
        context.set_default_timeout(MILLISECONDS)
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        context.on("console", self._console)
        self.contexts.append(context)
        return context

    def _console(self, message: Any) -> None:
        if message.type == "error" and "ERR_" not in message.text:
            self.wrong.append(message.text)

    def open(self, address: str, width: int = 1280, **options: Any) -> Any:
        page = self.context(width, **options).new_page()
        page.goto(address)
        page.wait_for_selector(READY)
        return page


@pytest.fixture
def windows(chromium: Any) -> Iterator[Windows]:
    opened = Windows(chromium)
    yield opened
    for context in opened.contexts:
        context.close()
    ours = ("http://127.0.0.1:", "file://", "data:,", "blob:")
    assert not [url for url in opened.asked if not url.startswith(ours)]
    assert opened.wrong == []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    with contextlib.ExitStack() as stack:
        yield lambda *given: stack.enter_context(serving.serving(tmp_path, *given))


def press(page: Any, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def until(page: Any, truth: str) -> None:
    """Wait without ``wait_for_function``, which the page's policy stops."""
    waiting.until(lambda: page.evaluate(truth), truth)


def standing(folder: Path, rater: str = "ana", name: str = "support-1a2b3c4d") -> dict[Any, Any]:
    """(number of the item, criterion) -> value, as the core folds the file."""
    numbers = {item_id(number): number for number in range(200)}
    ratings = fold(Events(folder / name, rater).all())
    return {(numbers.get(item), name): one.value for (item, name), one in ratings.items()}


def title(page: Any) -> str:
    return str(page.text_content("#item-title"))


# -- rating -----------------------------------------------------------------------------------


def test_a_whole_batch_by_keyboard_only(windows: Windows, served: Any, tmp_path: Path) -> None:
    server = served(make_batch())
    page = windows.open(server.links["ana"])
    assert page.url == f"{server.origin}/b/support-1a2b3c4d/ana/", "no token in the address"
    press(page, "5 1 Enter 2 2 1 3 Enter 0 1 Enter 4 2 4 Enter")
    page.wait_for_selector("#end:not([hidden])")
    page.wait_for_selector(SAVED)
    assert "All done" in page.text_content("#end") and "4 done" in page.text_content("#end")
    assert standing(tmp_path) == {
        (0, "accuracy"): 5, (0, "tone"): True,
        (1, "accuracy"): 2, (1, "tone"): False, (1, "errors"): ("wrong facts", "wrong tone"),
        (2, "accuracy"): None, (2, "tone"): True,
        (3, "accuracy"): 4, (3, "tone"): False, (3, "errors"): (),
    }  # fmt: skip
    assert RatingsFolder(tmp_path).state(server.batches[0], "ana").count("done") == 4
    page.keyboard.press("u")
    assert title(page) == "Item 4 of 4" and page.is_visible("#work")


@pytest.mark.nightly
def test_questions_appear_when_they_apply(windows: Windows, served: Any) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    errors = page.get_by_role("group", name="Kinds of error")
    assert not errors.is_visible()
    press(page, "4")
    assert not errors.is_visible()
    press(page, "2")
    assert errors.is_visible()
    press(page, "ArrowUp 1")
    assert not errors.is_visible()
    press(page, "ArrowUp ArrowUp 3")
    assert errors.is_visible()


@pytest.mark.nightly
def test_numbers_texts_and_comments_by_keyboard(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    given = make_rubric(serving.MINUTES, serving.BETTER, serving.TONE)
    page = windows.open(served(make_batch(given=given)).links["ana"])
    press(page, "1 2")
    page.keyboard.press("Enter")
    press(page, "2 t")
    page.keyboard.type("sfu? 1 c d: it is Tuesday")
    press(page, "Escape c")
    page.keyboard.type("u see")
    press(page, "Escape f Enter")
    until(page, "document.getElementById('item-title').textContent === 'Item 2 of 4'")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {
        (0, "minutes"): 12, (0, "tone"): False, (0, "better"): "sfu? 1 c d: it is Tuesday",
    }  # fmt: skip
    first = RatingsFolder(tmp_path).state(make_batch(given=given), "ana").items[0]
    assert (first.flagged, first.comment, first.status) == (True, "u see", "done")
    press(page, "ArrowLeft")
    assert page.input_value("#comment") == "u see"
    assert page.input_value("textarea >> nth=0") == "sfu? 1 c d: it is Tuesday"


@pytest.mark.nightly
def test_the_system_prompt_is_folded_until_it_is_opened(windows: Windows, served: Any) -> None:
    hostile = "Name a day. <b>x</b>"
    turns = ({"role": "system", "content": hostile}, {"role": "user", "content": "When?"})
    page = windows.open(served(make_batch([serving.item(0, messages=turns)])).links["ana"])
    assert page.text_content("#texts summary") == "Instructions to the model"
    assert not page.get_by_text("Name a day.").is_visible()
    page.click("#texts summary")
    page.get_by_text(hostile).wait_for(state="visible")
    assert page.locator("#texts b").count() == 0


@pytest.mark.nightly
def test_cannot_judge_has_a_key_that_is_no_part_of_an_answer(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    """A number is typed as it is, and a level has its own digit, 0 among them."""
    degrees = dataclasses.replace(
        serving.MINUTES, scale=Scale("number", -40, 60), allow_na=True, id="degrees"
    )
    depth = dataclasses.replace(
        serving.ACCURACY, scale=Scale("ordinal", 0, 4, {"0": "none", "4": "deep"}), id="depth"
    )
    given = make_rubric(degrees, depth, serving.ACCURACY)
    page = windows.open(served(make_batch(given=given)).links["ana"])
    keys = (
        "[...document.querySelectorAll('button')].filter((e) => /judge/.test(e.textContent))"
        ".map((e) => [e.querySelector('kbd').textContent, e.getAttribute('aria-keyshortcuts')])"
    )
    assert page.evaluate(keys) == [["n", "n"], ["n", "n"], ["0", "0"]]
    press(page, "0 . 5 Enter 3 4 Enter")
    press(page, "- 1 . 5 Enter 0 0 Enter")
    press(page, ". 2 5 ArrowDown 1 ArrowUp ArrowUp 7 n 5 Enter")
    press(page, "n n 1")
    page.wait_for_selector(SAVED)
    named = ("degrees", "depth", "accuracy")
    rated = ([0.5, 3, 4], [-1.5, 0, None], [None, 1, 5], [None, None, 1])
    assert standing(tmp_path) == {
        (n, name): value for n, values in enumerate(rated)
        for name, value in zip(named, values, strict=True)
    }  # fmt: skip
    assert page.input_value("input[type=number]") == ""


@pytest.mark.nightly
def test_a_number_out_of_range_is_no_answer(windows: Windows, served: Any, tmp_path: Path) -> None:
    page = windows.open(served(make_batch(given=make_rubric(serving.MINUTES))).links["ana"])
    press(page, "7 5 Enter")
    until(page, "document.getElementById('say').textContent.includes('0 to 60')")
    assert title(page) == "Item 1 of 4" and (0, "minutes") not in {
        place for place, value in standing(tmp_path).items() if value == 75
    }


@pytest.mark.nightly
def test_skipping_and_coming_back(windows: Windows, served: Any, tmp_path: Path) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    press(page, "s 5 1 Enter 5 1 Enter 5 1 Enter")
    assert "1 skipped" in page.text_content("#end-words")
    page.click("#end-skipped")
    assert title(page) == "Item 1 of 4" and page.text_content("#badges") == "skipped"
    press(page, "5 1")
    assert page.text_content("#badges") == "done"
    page.wait_for_selector(SAVED)
    assert RatingsFolder(tmp_path).state(make_batch(), "ana").count("done") == 4


@pytest.mark.nightly
def test_undo_goes_back_over_items_and_reloads(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    press(page, "2 1 Enter 3 ArrowUp 4")
    page.wait_for_selector(SAVED)
    page.reload()
    page.wait_for_selector(READY)
    assert title(page) == "Item 2 of 4", "it resumes at the first open item"
    press(page, "u")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path)[1, "accuracy"] == 3
    press(page, "u")
    page.wait_for_selector(SAVED)
    assert (1, "accuracy") not in standing(tmp_path)
    press(page, "u u")
    assert title(page) == "Item 1 of 4"
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {(0, "accuracy"): 2}
    page.reload()
    page.wait_for_selector(READY)
    press(page, "u u u")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {}
    until(page, "document.getElementById('say').textContent.includes('nothing to undo')")


@pytest.mark.nightly
def test_the_reference_comes_after_the_first_score(windows: Windows, served: Any) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    assert page.locator(".reference").count() == 0
    assert "Tuesday" not in page.content()
    press(page, "5")
    page.wait_for_selector(".reference:has-text('Tuesday')")
    press(page, "d")
    assert page.locator(".answer ins").all_text_contents() == ["will arrive", "Monday."]
    assert page.locator(".answer del").all_text_contents() == ["arrives", "Tuesday morning."]
    press(page, "d r")
    assert page.locator("ins").count() == 0 and page.locator(".reference").count() == 0


@pytest.mark.nightly
def test_a_pair_is_side_by_side_and_compared(windows: Windows, served: Any, tmp_path: Path) -> None:
    items = [make_item(n, "It comes on Monday.", "It comes on Friday.") for n in range(2)]
    server = served(make_batch(items, make_rubric(serving.PREFERENCE, reference="never")))
    page = windows.open(server.links["ana"])
    left, right = (box.bounding_box() for box in page.locator(".answer").all())
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert not page.is_visible("#reference")
    press(page, "d")
    assert page.locator(".answer >> nth=1 >> del").all_text_contents() == ["Monday."]
    assert page.locator(".answer >> nth=1 >> ins").all_text_contents() == ["Friday."]
    press(page, "3 Enter 2 Enter")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {(0, "preference"): "B", (1, "preference"): "tie"}
    narrow = windows.open(server.links["bo"], 390)
    first, second = (box.bounding_box() for box in narrow.locator(".answer").all())
    assert first["y"] + first["height"] <= second["y"] and first["x"] == second["x"]


@pytest.mark.nightly
def test_the_key_for_writing_gives_way_to_a_rubric(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    preference = dataclasses.replace(serving.PREFERENCE, keys=("a", "t", "b"))
    items = [make_item(0, "One.", "Two."), make_item(1, "One.", "Two.")]
    given = make_rubric(preference, serving.BETTER)
    page = windows.open(served(make_batch(items, given)).links["ana"])
    press(page, "b e")
    page.keyboard.type("Three.")
    press(page, "Escape ArrowUp t")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {(0, "preference"): "tie", (0, "better"): "Three."}


# -- nothing is lost, nothing is doubled ------------------------------------------------------


@pytest.mark.nightly
def test_the_server_is_killed_and_restarted_in_the_middle(windows: Windows, tmp_path: Path) -> None:
    port = own_port()
    first = serving.process(tmp_path, port)
    token = json.loads((tmp_path / "support-1a2b3c4d" / "tokens.json").read_bytes())["ana"]
    page = windows.open(f"http://127.0.0.1:{port}/in/{token}")
    press(page, "5 1 Enter")
    page.wait_for_selector(SAVED)
    first.send_signal(signal.SIGKILL)
    first.wait()
    press(page, "4 1 Enter 3")
    page.wait_for_selector("#saved:has-text('kept in this browser')")
    second = serving.process(tmp_path, port)
    try:
        page.wait_for_selector(SAVED)
        press(page, "2 1 Enter")
        page.wait_for_selector(SAVED)
        events = Events(tmp_path / "support-1a2b3c4d", "ana").all()
        lines = (tmp_path / "support-1a2b3c4d" / "events" / "ana.jsonl").read_bytes().splitlines()
        assert len(lines) == len(events) == len({one.id for one in events})
        values = standing(tmp_path)
        assert {n: values[n, "accuracy"] for n in range(3)} == {0: 5, 1: 4, 2: 3}
    finally:
        second.kill()
        second.wait()


@pytest.mark.nightly
def test_offline_and_back_even_over_a_closed_window(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    server = served(make_batch())
    page = windows.open(server.links["ana"])
    until(page, "performance.getEntriesByType('resource').filter("
                "(e) => e.name.includes('/items/')).length >= 3")  # fmt: skip
    page.context.set_offline(True)
    press(page, "5 1 Enter 4 1 Enter")
    page.wait_for_selector("#saved:has-text('kept in this browser')")
    assert standing(tmp_path) == {} and page.text_content("#saved").startswith("No connection: 6")
    page.context.set_offline(False)
    page.wait_for_selector(SAVED)
    assert len(Events(tmp_path / "support-1a2b3c4d", "ana").all()) == 6
    page.context.set_offline(True)
    press(page, "3")
    page.wait_for_selector("#saved:has-text('kept in this browser')")
    context = page.context
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"{server.origin}/b/support-1a2b3c4d/ana/")
    page.wait_for_selector(READY)
    page.wait_for_selector(SAVED)
    assert standing(tmp_path)[2, "accuracy"] == 3
    assert len(Events(tmp_path / "support-1a2b3c4d", "ana").all()) == 7
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.nightly
def test_two_tabs_of_one_rater(windows: Windows, served: Any, tmp_path: Path) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(READY)
    press(page, "5")
    other.wait_for_selector("[aria-pressed=true]:has-text('5')")
    press(other, "ArrowDown 1")
    page.wait_for_selector(".option[aria-pressed=true]:has-text('yes')")
    press(page, "ArrowUp 4")
    page.wait_for_selector(SAVED)
    other.wait_for_selector(SAVED)
    assert standing(tmp_path) == {(0, "accuracy"): 4, (0, "tone"): True}


@pytest.mark.nightly
def test_two_raters_side_by_side(windows: Windows, served: Any, tmp_path: Path) -> None:
    server = served(make_batch())
    ana, bo = windows.open(server.links["ana"]), windows.open(server.links["bo"])
    press(ana, "2 2 1 f c")
    ana.keyboard.type("only for me")
    press(ana, "Escape ArrowRight 1")
    press(bo, "5 1")
    ana.wait_for_selector(SAVED)
    bo.wait_for_selector(SAVED)
    bo.reload()
    bo.wait_for_selector(READY)
    seen = bo.content() + bo.evaluate("fetch('state').then((answer) => answer.text())")
    assert "only for me" not in seen and '"ana"' not in seen
    assert bo.locator(".option[aria-pressed=true]").count() == 0
    assert standing(tmp_path, "bo") == {(1, "accuracy"): 5, (1, "tone"): True}


@pytest.mark.nightly
def test_two_links_in_one_browser_mix_nothing_up(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    """Each page speaks as the rater whose name is on it, also after it is loaded anew."""
    server = served(make_batch())
    page = windows.open(server.links["ana"])
    other = page.context.new_page()
    other.goto(server.links["bo"])
    other.wait_for_selector(READY)
    press(page, "5")
    press(other, "2")
    page.wait_for_selector(SAVED)
    other.wait_for_selector(SAVED)
    page.reload()
    page.wait_for_selector(READY)
    assert [one.text_content("header #who") for one in (page, other)] == ["ana", "bo"]
    press(page, "2")
    page.wait_for_selector(SAVED)
    assert standing(tmp_path) == {(0, "accuracy"): 5, (0, "tone"): False}
    assert standing(tmp_path, "bo") == {(1, "accuracy"): 2}


@pytest.mark.nightly
def test_a_clock_that_is_wrong_or_goes_back_loses_nothing(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    """The newest answer stands, whatever the clock of the rater's device says."""
    server = served(make_batch())
    for first, then in (("2087-01-01", "1999-01-01"), ("1999-01-01", "2087-01-01")):
        context = windows.context()
        page = context.new_page()
        page.clock.set_fixed_time(f"{first}T12:00:00Z")
        page.goto(server.links["ana"])
        page.wait_for_selector(READY)
        page.click("[aria-keyshortcuts='5']")
        page.wait_for_selector(SAVED)
        page.clock.set_fixed_time(f"{then}T12:00:00Z")
        page.reload()
        page.wait_for_selector(READY)
        page.click("[aria-keyshortcuts='2']")
        page.wait_for_selector(SAVED)
        assert standing(tmp_path)[0, "accuracy"] == 2
    times = [one.at for one in Events(tmp_path / "support-1a2b3c4d", "ana").all()]
    assert len(times) == 4 and times == sorted(times) and "2020" < times[0] < times[-1] < "2080"


@pytest.mark.nightly
def test_what_is_not_accepted_is_told_and_not_shown(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    page = windows.open(served(make_batch()).links["ana"])

    def refuse(route: Any) -> None:
        told = {
            "saved": [], "refused": [{"id": route.request.post_data_json["events"][0]["id"],
            "why": "no"}], "at": "",
        }  # fmt: skip
        route.fulfill(status=422, json=told)

    page.route("**/events", refuse)
    page.click("[aria-keyshortcuts='5']")
    page.wait_for_selector("#trouble:has-text('Not accepted: no')")
    assert page.locator(".option[aria-pressed=true]").count() == 0
    assert page.evaluate("localStorage.length") == 0 and standing(tmp_path) == {}
    windows.wrong.clear()  # the refused request


@pytest.mark.nightly
def test_a_link_from_a_mail_opens_the_page(windows: Windows, served: Any, tmp_path: Path) -> None:
    """A click on another site: strict cookies must not lock the rater out."""
    server, mail = served(make_batch()), tmp_path / "mail.html"
    mail.write_text(f'<a href="{server.links["ana"]}">rate</a>', encoding="utf-8")
    page = windows.context().new_page()
    page.goto(mail.as_uri())
    page.click("a")
    page.wait_for_selector(READY)
    assert page.url == f"{server.origin}/b/support-1a2b3c4d/ana/"


# -- the fold ---------------------------------------------------------------------------------


def some_events(random: Random, rubric: Any) -> list[Event]:
    """What several tabs may have left behind: any kind, any order, equal times among them."""
    values = {"accuracy": (1, 3, 4, 5, None), "tone": (True, False), "better": ("so", "or so"),
              "errors": ((), ("wrong facts",))}  # fmt: skip
    found = []
    for _ in range(220):
        kind: Any = random.choice(["set"] * 4 + ["clear", *KINDS])
        criterion = random.choice([one.id for one in rubric.criteria])
        value: Any = random.choice((True, False)) if kind != "comment" else random.choice("ab")
        if kind in ("set", "clear"):
            value = random.choice(values[criterion]) if kind == "set" else None
        at = f"2026-11-25T15:30:{random.randrange(30):02}.000Z"
        found.append(
            Event(
                f"{random.getrandbits(128):032x}", "ana", item_id(random.randrange(30)),
                criterion if kind in ("set", "clear") else "", kind,
                list(value) if isinstance(value, tuple) else value, at, float(random.randrange(90)),
            )
        )  # fmt: skip
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2))
def test_the_page_folds_as_the_core_does(
    windows: Windows, served: Any, tmp_path: Path, seed: int
) -> None:
    batch = make_batch([make_item(n) for n in range(30)])
    Events(tmp_path / batch.name, "ana").extend(some_events(Random(seed), batch.rubric))
    page = windows.open(served(batch).links["ana"])
    core = RatingsFolder(tmp_path).state(batch, "ana")
    words = {"open": "", "done": " ✓ done", "skipped": " – skipped"}
    wanted = [
        f"{n}{words[item.status]}{' ⚑' * item.flagged}"
        for n, item in enumerate(core.items, start=1)
    ]
    assert len({item.status for item in core.items}) == 3
    assert page.locator("#goto option").all_text_contents() == wanted
    pressed = """[...document.querySelectorAll(".criterion:not([hidden])")].flatMap((group) =>
        [...group.querySelectorAll(".option[aria-pressed=true]")].map((e) => e.textContent))"""
    for n, item in enumerate(core.items):
        page.select_option("#goto", index=n)
        standing = item.values or {}
        count = sum(
            standing.get(criterion.id, standing) is not standing
            for criterion in asked_criteria(batch.rubric, standing)
            if criterion.id != "better"
        )
        assert len(page.evaluate(pressed)) == count
        assert page.input_value("#comment") == item.comment
        assert page.input_value("#criteria textarea") == standing.get("better", "")


# -- the packed page --------------------------------------------------------------------------


def made(root: Path) -> Batch:
    examples = [
        Example(f"ex-{n}", ({"role": "user", "content": f"Question {n}"},), (f"Reference {n}",),
                "dev", f"group {n}", {"topic": "delivery"})
        for n in range(3)
    ]  # fmt: skip
    candidates = [Candidate(example, {4177: f"Answer of {example.id[-1]}"}) for example in examples]
    order = BatchSpec(make_rubric(), "a-run", 4177, ("ana",), n=3, repeats=0.0)
    return RatingsFolder(root).create(order, candidates)


@pytest.mark.nightly
def test_a_packed_file_from_the_disk_to_the_import(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    from harness_rating.page.pages import pack

    batch = made(tmp_path / "ratings")
    path = tmp_path / "ana.html"
    path.write_bytes(pack(batch, "ana"))
    page = windows.open(path.as_uri())
    assert "Reference" not in page.inner_text("#texts")
    press(page, "2 1 1 Enter 5")
    assert "Reference" in page.inner_text("#texts")
    assert "kept in this browser" in page.text_content("#saved")
    page.reload()
    page.wait_for_selector(READY)
    assert title(page) == "Item 2 of 3"
    press(page, "2 Enter u")
    press(page, "c")
    page.keyboard.type("naïve — “quoted”\nمرحبا 🙂")
    press(page, "Escape Enter s")
    with page.expect_download() as found:
        page.keyboard.press("Control+s")
    assert found.value.suggested_filename == f"{batch.name}-ana.jsonl"
    exported = tmp_path / "ana.jsonl"
    found.value.save_as(exported)
    assert page.text_content("#saved").startswith("Saved as a file")
    count = len(exported.read_bytes().splitlines()) - 1
    imported = import_file(exported, RatingsFolder(tmp_path / "ratings"))
    assert (imported.new, imported.known) == ({"ana": count}, {"ana": 0})
    assert import_file(exported, RatingsFolder(tmp_path / "ratings")).known == {"ana": count}
    items = RatingsFolder(tmp_path / "ratings").state(batch, "ana").items
    assert [item.status for item in items] == ["done", "done", "skipped"]
    assert items[0].values == {"accuracy": 2, "tone": True, "errors": ("wrong facts",)}
    assert items[1].comment.endswith("مرحبا 🙂") and items[1].seconds is not None


# -- hostile texts ----------------------------------------------------------------------------

INERT = """() => {
  const all = [...document.querySelectorAll("*")];
  const acting = all.filter(
    (e) => [...e.attributes].some((a) => /^on|^style$|^srcdoc/i.test(a.name)));
  const odd = [...document.querySelectorAll("#texts *, #criteria *, #guidelines *, #title *")]
    .map((e) => e.tagName).filter((t) => !["SECTION", "DIV", "H3", "P", "DL", "DT", "DD", "UL",
      "LI", "B", "BUTTON", "KBD", "TEXTAREA", "INPUT", "SPAN", "INS", "DEL"].includes(t));
  return {canary: window.CANARY || null, acting: acting.map((e) => e.outerHTML), odd,
          title: document.title === "pwned", scripts: document.scripts.length,
          frames: window.frames.length, images: document.images.length};
}""".replace("CANARY", hostile_texts.CANARY)
QUIET = {
    "canary": None,
    "acting": [],
    "odd": [],
    "title": False,
    "scripts": 2,
    "frames": 0,
    "images": 0,
}


def hostile_batch() -> tuple[Batch, list[str]]:
    texts = [text for text in hostile_texts.TEXTS if len(text) < 50_000]
    items = [
        make_item(
            n,
            text,
            messages=({"role": text, "content": text}, {"role": "user", "content": text}),
            references=(text,),
            meta={"topic": text},
        )
        for n, text in enumerate(texts)
    ]
    scale = dataclasses.replace(serving.TONE.scale, anchors={"yes": texts[2], "no": texts[14]})
    choices = dataclasses.replace(serving.ERRORS.scale, choices=tuple(texts[3:8]))
    tone = dataclasses.replace(serving.TONE, title=texts[15], question=texts[16], scale=scale)
    errors = dataclasses.replace(serving.ERRORS, scale=choices, ask_if=None)
    given = make_rubric(serving.ACCURACY, tone, errors, serving.BETTER, reference="always")
    given = dataclasses.replace(
        given, title=texts[0], instructions="\n".join(texts), language='x"><b>'
    )
    return make_batch(items, given, ("ana",)), texts


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("packed", [False, True], ids=["served", "packed"])
def test_hostile_texts_are_inert(
    windows: Windows, served: Any, tmp_path: Path, packed: bool
) -> None:
    from harness.kit.text import plain
    from harness_rating.page.pages import pack

    batch, texts = hostile_batch()
    assert len(texts) >= 60
    address = tmp_path / "page.html"
    address.write_bytes(pack(batch, "ana"))
    page = windows.open(address.as_uri() if packed else served(batch).links["ana"])
    page.evaluate("scrollTo = () => {}")
    press(page, "d")
    for n, text in enumerate(texts):
        until(page, f"document.querySelectorAll('.answer .text').length"
                    f" && document.getElementById('goto').value === '{n}'")  # fmt: skip
        shown = page.evaluate("[...document.querySelectorAll('.asked .text')].at(-1).textContent")
        assert shown == plain(text), n
        if n == 0:
            press(page, "3 1 c")
            page.keyboard.insert_text(text)
            press(page, "Escape t")
            page.keyboard.insert_text(text)
            press(page, "Escape ? Escape")
        page.keyboard.press("ArrowRight")
    assert page.evaluate(INERT) == QUIET
    page.reload()
    page.wait_for_selector(READY)
    assert page.evaluate(INERT) == QUIET


@pytest.mark.nightly
def test_a_very_long_text_is_shown_whole(windows: Windows, served: Any) -> None:
    items = [make_item(n, text) for n, text in enumerate(hostile_texts.LONG)]
    page = windows.open(served(make_batch(items)).links["ana"])
    for text in hostile_texts.LONG:
        until(page, f"document.querySelector('.answer .text')?.textContent.length === {len(text)}")
        press(page, "1 d d ArrowRight")


CODE = "Try:\n\n```python\ndef f(x):\n\treturn '<b>' if x else None\n```\nIt is `f`.\n"
TABLE = "| a | b |\n|---|---|\n| <i>1</i> | ```2``` |"
FENCED = [  # a text, and what of it stands in a monospace block
    (CODE, [CODE[6 : CODE.index("It")]]),
    (f"{TABLE}\nas above", [f"{TABLE}\n"]),
    (f"{TABLE}\n~~~~\n```\n~~~\n~~~~~ \nend", [f"{TABLE}\n", "~~~~\n```\n~~~\n~~~~~ \n"]),
    ("1. so:\n   ```\n   cut off </div><script>", ["   ```\n   cut off </div><script>"]),
    ("```one line``` and | no | table |\n| one | row |\n||\n||", []),
    ("```", ["```"]),
    ("\n\n```\n\n```\n\n", ["```\n\n```\n"]),
    (f"```\n{'word ' * 5000}\n```\n{'| a | b |' * 3000}", None),
    ("| سعر | 3 |\n| ثمن | 4 |\n\u2067```\n", ["| سعر | 3 |\n| ثمن | 4 |\n", "```\n"]),
]  # fmt: skip


@pytest.mark.nightly
def test_code_and_tables_are_monospace_without_a_changed_character(
    windows: Windows, tmp_path: Path
) -> None:
    from harness.kit.text import plain
    from harness_rating.page.pages import pack

    texts = [*(text for text, _ in FENCED), *hostile_texts.TEXTS[::4], hostile_texts.LONG[0]]
    items = [
        make_item(n, text, messages=({"role": "user", "content": text},), references=(text,))
        for n, text in enumerate(texts)
    ]
    path = tmp_path / "ana.html"
    path.write_bytes(pack(make_batch(items, make_rubric(reference="always")), "ana"))
    page = windows.open(path.as_uri())
    read = """() => ["asked", "answer", "reference"].map((name) => {
        const text = document.querySelector(`.${name} .text`);
        const blocks = text.querySelectorAll(".mono");
        return [text.textContent, [...blocks].map((e) => e.textContent)]; })"""
    face = "getComputedStyle(document.querySelector('.answer .mono')).fontFamily"
    assert "monospace" in page.evaluate(face)
    for n, text in enumerate(texts):
        shown = page.evaluate(read)
        assert [whole for whole, _ in shown] == [plain(text)] * 3, n
        wanted = FENCED[n][1] if n < len(FENCED) else None
        assert wanted is None or [blocks for _, blocks in shown] == [wanted] * 3, n
        page.keyboard.press("ArrowRight")


@pytest.mark.nightly
def test_marks_of_what_differs_keep_code_in_its_block(windows: Windows, served: Any) -> None:
    other = CODE.replace("<b>", "<u>").replace("It is", "Call") + "\n" + TABLE
    items = [make_item(0, CODE, other), make_item(1, CODE, CODE), make_item(2, "", "```\n")]
    server = served(make_batch(items, make_rubric(serving.PREFERENCE, reference="never")))
    page = windows.open(server.links["ana"])
    press(page, "d")
    second = ".answer >> nth=1 >> "
    assert page.locator(second + ".mono").count() == 2
    assert page.locator(second + ".mono ins").all_text_contents()[0] == "'<u>'"
    assert page.locator(second + ".mono del").all_text_contents()[0] == "'<b>'"
    kept = """() => { const text = document.querySelectorAll(".answer .text")[1].cloneNode(true);
        text.querySelectorAll("del").forEach((e) => e.remove());
        return text.textContent.split(/\\s+/).join(" "); }"""
    assert page.evaluate(kept) == " ".join(other.split())
    press(page, "ArrowRight")
    until(page, "document.querySelectorAll('.answer .mono').length === 2")
    press(page, "ArrowRight")
    page.wait_for_selector(".answer ins")


@pytest.mark.nightly
def test_the_question_stays_in_view_beside_a_long_answer(windows: Windows, served: Any) -> None:
    items = [make_item(0, "A long answer. " * 600), make_item(1)]
    page = windows.open(served(make_batch(items)).links["ana"], 400)
    where = """() => { const e = document.querySelector(".criterion.now .option");
        const box = e.getBoundingClientRect(), x = box.x + 9, y = box.y + 9;
        return [x, y, document.elementFromPoint(x, y) === e, scrollY]; }"""
    x, y, seen, scrolled = page.evaluate(where)
    assert seen and scrolled == 0
    page.mouse.click(x, y)
    page.wait_for_selector(".now:has-text('Tone')")
    page.wait_for_selector(".reference", state="attached")
    x, y, seen, scrolled = page.evaluate(where)
    assert seen and scrolled == 0, "the text that is read keeps its place"
    page.mouse.click(x, y)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    shown = "[...document.querySelectorAll('.criterion:not([hidden])')].every("
    assert page.evaluate(shown + "(e, n, all) => !n || e.getBoundingClientRect().top >= "
                         "all[n - 1].getBoundingClientRect().bottom)")  # fmt: skip
    assert page.evaluate(
        "document.getElementById('next').getBoundingClientRect().bottom <= innerHeight"
    )


# -- settling ---------------------------------------------------------------------------------


@pytest.mark.nightly
def test_who_settles_sees_what_raters_said_and_no_names(windows: Windows, tmp_path: Path) -> None:
    whole = make_batch()
    ids = tuple(item_id(n) for n in (1, 3))
    batch = dataclasses.replace(
        whole, raters=("settled-lea", "bo"), assignments={"settled-lea": ids, "bo": ids}
    )
    said = {
        item_id(1): {"accuracy": (2, 5), "tone": (True, False)},
        item_id(3): {"tone": (True, False)},
    }
    with serving.serving(tmp_path, batch, said=said) as server:
        page = windows.open(server.links["settled-lea"])
        accuracy = page.get_by_role("group", name="Accuracy")
        assert accuracy.locator(".said").text_content() == "Raters said: 2 · 5"
        assert "yes · no" in page.inner_text("#criteria")
        press(page, "4 1 Enter")
        assert not page.get_by_role("group", name="Accuracy").is_visible()  # all say the same of it
        press(page, "2 Enter")
        page.wait_for_selector(SAVED)
        assert standing(tmp_path, "settled-lea").keys() == {
            (1, "accuracy"),
            (1, "tone"),
            (3, "tone"),
        }
        assert standing(tmp_path, "settled-lea")[1, "accuracy"] == 4
        other = windows.open(server.links["bo"])
        assert "Raters said" not in other.inner_text("#criteria")


# -- for everybody ----------------------------------------------------------------------------


@pytest.mark.nightly
def test_right_to_left_is_read_from_the_right(windows: Windows, served: Any) -> None:
    items = [make_item(0, "سيصل الطرد يوم الاثنين."), make_item(1, "It comes on Monday.")]
    page = windows.open(served(make_batch(items)).links["ana"])
    where = """() => {
        const text = document.querySelector(".answer .text"), range = document.createRange();
        range.selectNodeContents(text);
        const line = range.getBoundingClientRect(), box = text.getBoundingClientRect();
        const way = getComputedStyle(text).direction;
        return [way, line.left - box.left, box.right - line.right]; }"""
    direction, left, right = page.evaluate(where)
    assert direction == "rtl" and right < 1 < left
    press(page, "ArrowRight")
    page.wait_for_selector(".answer:has-text('Monday')")
    direction, left, right = page.evaluate(where)
    assert direction == "ltr" and left < 1 < right


@pytest.mark.nightly
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_it_fits_and_breaks_no_rule_of_accessibility(
    windows: Windows, served: Any, width: int, scheme: str
) -> None:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        unfit("no axe-core here: pip install axe-playwright-python")
    axe = Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")
    criteria = (serving.ACCURACY, serving.TONE, serving.ERRORS, serving.BETTER,
                serving.MINUTES)  # fmt: skip
    item = make_item(0, "word" * 200 + f"\n{TABLE}\n{CODE}")
    server = served(make_batch([item, make_item(1)], make_rubric(*criteria)))
    page = windows.open(server.links["ana"], width, color_scheme=scheme, bypass_csp=True)
    press(page, "3")
    page.wait_for_selector(".reference")
    press(page, "d 2 1 f")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for keys in ("", "?"):
        press(page, keys)
        page.evaluate(axe)
        result = page.evaluate("axe.run()")
        bad = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [n["html"] for n in one["nodes"]]) for one in bad] == []


@pytest.mark.nightly
def test_a_screen_reader_is_told_what_happens(windows: Windows, served: Any) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    for name in ("Next", "Undo", "Skip", "Flag", "Reference", "Difference", "Guidelines and keys"):
        assert page.get_by_role("button", name=name).count() == 1, name
    for role in ("main", "banner", "navigation", "progressbar"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("group", name="Accuracy").get_by_role("button").count() == 6
    assert page.get_by_role("textbox", name="Comment on this item").count() == 1
    assert page.evaluate("document.activeElement.id") == "item-title"
    press(page, "f")
    page.wait_for_selector("[role=status]:has-text('Flagged.')", state="attached")
    press(page, "5")
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "c1"
    press(page, "1")
    assert page.evaluate("document.activeElement.id") == "next"
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "item-title"


@pytest.mark.nightly
def test_single_keys_can_be_switched_off(windows: Windows, served: Any, tmp_path: Path) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    press(page, "?")
    page.uncheck("#keys-on")
    press(page, "Escape 5 f s")
    assert title(page) == "Item 1 of 4" and page.text_content("#badges") == ""
    assert page.locator(".option[aria-pressed=true]").count() == 0


@pytest.mark.nightly
def test_a_key_is_on_every_control(windows: Windows, served: Any) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    press(page, "3 2")
    bare = """[...document.querySelectorAll("main button, nav button, header button, textarea")]
        .filter((e) => e.checkVisibility() && !e.getAttribute("aria-keyshortcuts"))
        .map((e) => e.outerHTML)"""
    assert page.evaluate(bare) == []
    silent = """[...document.querySelectorAll("button[aria-keyshortcuts]")]
        .filter((e) => e.checkVisibility() && !e.querySelector("kbd")).map((e) => e.outerHTML)"""
    assert page.evaluate(silent) == []


@pytest.mark.nightly
def test_the_time_on_an_item_is_kept(windows: Windows, served: Any, tmp_path: Path) -> None:
    page = windows.open(served(make_batch()).links["ana"])
    page.wait_for_timeout(400)
    press(page, "5 1 Enter 5")
    page.wait_for_selector(SAVED)
    times: dict[str, list[Event]] = {}
    for one in Events(tmp_path / "support-1a2b3c4d", "ana").all():
        times.setdefault(one.item, []).append(one)
    first, second = ([one.seconds for one in times[item_id(n)]] for n in range(2))
    assert first == sorted(first) and 0.3 <= first[0] < 30 and second[0] < first[-1]


# -- rows, which are reviewed ------------------------------------------------------------------


def review_batch(folder: Path, *answers: str, raters: tuple[str, ...] = ("ana",)) -> Batch:
    system = {"role": "system", "content": "Answer with a number."}
    rows = [
        Example(f"row-{n}", (system, {"role": "user", "content": f"question {n}?"}), (answer,))
        for n, answer in enumerate(answers)
    ]
    shown = [ReviewRow(row, {"made for": "<i>kind</i> = sum"}) for row in rows]
    return review_rows(RatingsFolder(folder), shown, raters, overlap=1.0, run="run")


def decided(folder: Path, batch: Batch) -> dict[str, tuple[str, ...]]:
    """Answer of the row -> what was decided, the reason, and the edited texts."""
    found = decisions(batch, RatingsFolder(folder))
    return {
        batch.by_id[item].answers[0]: (one.kind, one.reason, one.answer, one.question)
        for item, one in found.items()
    }


@pytest.mark.nightly
def test_rows_are_accepted_edited_and_rejected_by_keyboard(
    windows: Windows, served: Any, tmp_path: Path
) -> None:
    hostile = "<b>7</b>\u202e\x1b[31m [x](javascript:alert(1))"
    batch = review_batch(tmp_path, "one two three", hostile, "  = 9\n", "4")
    page = windows.open(served(batch).links["ana"])
    for item in batch.assignments["ana"]:
        answer = batch.by_id[item].answers[0]
        text = page.text_content(".answer .text")
        assert page.locator("#texts b, #texts a, #texts i, #texts script").count() == 0
        assert page.text_content(".meta dd") == "<i>kind</i> = sum"
        assert "Answer with a number." in page.text_content("#texts")
        if answer == "one two three":
            assert not page.get_by_role("group", name="The answer, edited").is_visible()
            press(page, "e")
            assert page.input_value("textarea:focus") == answer
            page.keyboard.press("End")
            page.keyboard.type(" four")
            page.wait_for_selector(".edit ins")
            assert page.locator(".edit ins").all_text_contents() == ["four"]
            assert page.locator(".edit del").count() == 0
            press(page, "Escape Enter")
        elif answer == hostile:
            assert text == "<b>7</b> [x](javascript:alert(1))"
            press(page, "x 1 Enter")
        elif answer == "4":
            press(page, "e Escape Enter")
        else:
            press(page, "a Enter")
    page.wait_for_selector("#end:not([hidden])")
    page.wait_for_selector(SAVED)
    assert decided(tmp_path, batch) == {
        "one two three": ("edit", "", "one two three four", ""),
        hostile: ("reject", "wrong answer", "", ""),
        "  = 9\n": ("accept", "", "", ""),
        "4": ("accept", "", "", ""),
    }


@pytest.mark.nightly
@pytest.mark.parametrize("width", [1280, 400])
def test_an_edit_can_be_taken_back_and_is_there_after_a_reload(
    windows: Windows, served: Any, tmp_path: Path, width: int
) -> None:
    batch = review_batch(tmp_path, "one two three")
    page = windows.open(served(batch).links["ana"], width)
    press(page, "e End")
    page.keyboard.type(" four")
    page.wait_for_selector(".edit ins")
    page.wait_for_selector(SAVED)
    page.reload()
    page.wait_for_selector("#end:not([hidden])")
    page.click("#end-first")
    assert page.input_value("textarea >> nth=0") == "one two three four"
    assert page.locator(".edit ins").all_text_contents() == ["four"]
    page.fill("textarea >> nth=0", "one, two Three")
    until(page, "document.querySelectorAll('.edit ins').length === 2")
    assert page.locator(".edit ins").all_text_contents() == ["one,", "Three"]
    page.fill("textarea >> nth=0", "one two three")
    until(page, "!document.querySelector('.edit')")
    page.wait_for_selector(SAVED)
    page.fill("textarea >> nth=1", "question?")
    page.wait_for_selector(".edit del")
    page.wait_for_selector(SAVED)
    until(page, "document.documentElement.scrollWidth <= innerWidth")
    assert decided(tmp_path, batch) == {"one two three": ("edit", "", "", "question?")}


@pytest.mark.nightly
def test_two_reviewers_at_once_and_a_server_that_is_killed(
    windows: Windows, tmp_path: Path
) -> None:
    """All that the pages said was saved is there, and each row has one decision."""
    answers = [f"answer {n}" for n in range(20)]
    batch = review_batch(tmp_path, *answers, raters=("ana", "bo"))
    port = own_port()
    first = serving.process(tmp_path, port)
    tokens = json.loads((tmp_path / batch.name / "tokens.json").read_bytes())
    pages = {rater: windows.open(f"http://127.0.0.1:{port}/in/{tokens[rater]}") for rater in tokens}
    for place in range(20):
        for rater, page in pages.items():
            item = batch.assignments[rater][place]
            number = int(batch.by_id[item].answers[0].split()[1])
            press(page, "x 2 Enter" if rater == "bo" and number % 5 == 0 else "a Enter")
        if place == 9:
            first.send_signal(signal.SIGKILL)
            first.wait()
        if place == 12:
            first = serving.process(tmp_path, port)
    try:
        for page in pages.values():
            page.wait_for_selector("#end:not([hidden])")
            page.wait_for_selector(SAVED)
    finally:
        first.kill()
        first.wait()
    found = decided(tmp_path, batch)
    assert len(found) == 20
    rejected = {answer for answer, one in found.items() if one[:2] == ("reject", "wrong form")}
    assert rejected == {f"answer {n}" for n in range(0, 20, 5)}


@pytest.mark.nightly
def test_a_huge_row_is_reviewed_on_a_packed_page(windows: Windows, tmp_path: Path) -> None:
    batch = review_batch(tmp_path, "word " * 100_000, "short")
    packed = tmp_path / "ana.html"
    packed.write_bytes(pack(batch, "ana"))
    page = windows.open(packed.as_uri())
    for item in batch.assignments["ana"]:
        press(page, "a Enter" if batch.by_id[item].answers[0] == "short" else "x 6 Enter")
    page.wait_for_selector("#end:not([hidden])")
    with page.expect_download() as saved:
        page.click("#end-export")
    saved.value.save_as(tmp_path / "ana.jsonl")
    import_file(tmp_path / "ana.jsonl", RatingsFolder(tmp_path))
    assert {one[:2] for one in decided(tmp_path, batch).values()} == {
        ("accept", ""), ("reject", "other"),
    }  # fmt: skip
