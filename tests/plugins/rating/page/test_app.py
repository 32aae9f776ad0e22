"""The page's server and the packed page, without a browser."""

from __future__ import annotations

import dataclasses
import gzip
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness import Example
from harness.errors import UsageError
from harness.errors.installing import install_extra
from harness.records import Answer, ToolCall
from harness_rating.batches.records import Batch, Event
from harness_rating.ratings.events import Events, now
from harness_rating.ratings.folding import fold
from tests.plugins.rating import served as serving
from tests.support.hostile_texts import TEXTS as HOSTILE_TEXTS
from tests.support.waiting import LONG

make_batch, make_item, item_id = serving.batch, serving.item, serving.item_id
make_rubric = serving.rubric
SECRETS = (serving.MODEL, str(serving.ROUND), serving.RUN, "group 1", "random")


@pytest.fixture(autouse=True)
def _extra() -> None:
    serving.need("starlette", "jinja2", "uvicorn")


class Rater:
    """What a rater's browser says to the server."""

    def __init__(self, server: Any, name: str) -> None:
        self.server, self.name = server, name
        self.start = f"/b/{server.batches[0].name}/{name}/"
        token = server.links[name].rsplit("/", 1)[1]
        self.headers = {"Cookie": f"rater={token}", "Sec-Fetch-Site": "same-origin"}

    def ask(self, name: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LONG)
        headers = dict(self.headers)
        if body is not None:
            headers |= {"Origin": self.server.origin, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        connection.request("GET" if data is None else "POST", self.start + name, data, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def get(self, name: str) -> Any:
        status, body = self.ask(name)
        assert status == 200, body
        return json.loads(body)

    def send(self, *events: dict[str, Any]) -> tuple[int, Any]:
        status, body = self.ask("events", {"events": list(events)})
        return status, json.loads(body)


def event(number: int, criterion: str = "accuracy", value: Any = 4, **fields: Any) -> Any:
    given = {
        "id": uuid.uuid4().hex, "item": item_id(number), "criterion": criterion, "kind": "set",
        "value": value, "at": "2026-11-25T15:30:00.123Z", "seconds": 2.5,
    }  # fmt: skip
    return {**given, **fields}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    with serving.serving(tmp_path, make_batch()) as server:
        yield server


@pytest.fixture
def ana(served: Any) -> Rater:
    return Rater(served, "ana")


@pytest.fixture
def bo(served: Any) -> Rater:
    return Rater(served, "bo")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def written(server: Any, rater: str) -> list[Event]:
    return Events(server.folder / server.batches[0].name, rater).all()


# -- events -----------------------------------------------------------------------------------


def test_an_event_is_on_the_disk_before_it_is_answered(served: Any, ana: Rater) -> None:
    sent = event(0)
    status, told = ana.send(sent)
    assert (status, told["saved"], told["refused"]) == (200, [sent["id"]], [])
    assert re.fullmatch(r"20\d\d-.*Z", told["at"])
    kept = written(served, "ana")
    assert [(one.id, one.rater, one.value) for one in kept] == [(sent["id"], "ana", 4)]


def test_an_event_that_comes_twice_counts_once(served: Any, ana: Rater) -> None:
    sent = event(0)
    answers = [ana.send(sent), ana.send(sent), ana.send(sent, sent)]
    assert all(status == 200 and sent["id"] in told["saved"] for status, told in answers)
    assert len(written(served, "ana")) == 1
    assert len(ana.get("state")["events"]) == 1


def test_a_known_id_with_another_content_is_refused(served: Any, ana: Rater) -> None:
    sent, good = event(0), event(1)
    ana.send(sent)
    status, told = ana.send({**sent, "value": 5})
    assert (status, told["saved"]) == (422, [])
    assert [(one["id"], one["why"]) for one in told["refused"]] == [
        (sent["id"], "it is known already, with another content")
    ]
    # Also where another process has written it meanwhile.
    imported = Event(rater="ana", **event(2))
    Events(served.folder / served.batches[0].name, "ana").append(imported)
    status, told = ana.send({**event(2), "id": imported.id, "value": 1}, good)
    assert (status, told["saved"]) == (200, [good["id"]])
    assert [one["id"] for one in told["refused"]] == [imported.id]
    assert [one.value for one in written(served, "ana")] == [4, 4, 4]


def test_a_time_far_ahead_is_refused_and_a_newer_answer_wins(served: Any, ana: Rater) -> None:
    """A page goes by the server's clock; what was brought in with another one is gone by, too."""
    status, told = ana.send(event(0, at="9999-12-31T23:59:59.999Z"))
    assert status == 422 and "more than a day ahead" in told["refused"][0]["why"]
    assert written(served, "ana") == []
    ahead = Event(rater="ana", **event(0, value=1, at="2087-01-01T00:00:00.000Z"))
    Events(served.folder / served.batches[0].name, "ana").append(ahead)
    assert abs(moment(ana.get("state")["now"]) - moment(now())) < 60
    newer = event(0, value=5, at="2087-01-01T00:00:00.001Z")
    assert ana.send(newer)[1]["saved"] == [newer["id"]]
    assert [one.value for one in fold(written(served, "ana")).values()] == [5]


def test_a_bad_event_does_not_hold_up_the_good_ones(served: Any, ana: Rater) -> None:
    good, bad = event(0), event(1, value=9)
    status, told = ana.send(bad, good)
    assert (status, told["saved"]) == (200, [good["id"]])
    assert [one["id"] for one in told["refused"]] == [bad["id"]]
    assert len(written(served, "ana")) == 1


def test_one_browser_with_two_links_writes_nothing_under_the_wrong_name(ana: Rater) -> None:
    status, told = ana.send(event(0), event(1, rater="bo"))
    assert status == 409 and "another rater" in told["error"]
    assert written(ana.server, "ana") == []


def test_a_restarted_server_knows_everything(served: Any, ana: Rater) -> None:
    first, second = event(0), event(1)
    ana.send(first)
    served.stop()
    served.start()
    again = Rater(served, "ana")
    assert again.headers == ana.headers, "links outlive the server"
    again.send(first, second)
    assert [one["id"] for one in again.get("state")["events"]] == [first["id"], second["id"]]


def test_what_others_write_meanwhile_is_seen(served: Any, ana: Rater) -> None:
    ana.send(event(0))
    imported = Event(rater="ana", **event(1))
    Events(served.folder / served.batches[0].name, "ana").append(imported)
    assert {one["id"] for one in ana.get("state")["events"]} >= {imported.id}
    ana.send(event(2))
    assert len(written(served, "ana")) == 3


def test_many_senders_at_a_time_lose_nothing(served: Any) -> None:
    raters = [Rater(served, name) for name in ("ana", "bo") for _ in range(4)]
    sent: dict[str, list[str]] = {"ana": [], "bo": []}

    def work(rater: Rater) -> None:
        for number in range(12):
            one = event(1 + number % 3, value=1 + number % 5)
            status, _ = rater.send(one)
            assert status == 200
            rater.send(one)
            sent[rater.name].append(one["id"])

    threads = [threading.Thread(target=work, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, ids in sent.items():
        kept = [one.id for one in written(served, name)]
        assert len(ids) == 48 and sorted(kept) == sorted(ids)


# -- what raters see --------------------------------------------------------------------------


def test_two_raters_see_nothing_of_each_other(ana: Rater, bo: Rater) -> None:
    before = bo.get("state")
    ana.send(event(1), event(2, "tone", False), event(1, "", "a private note", kind="comment"))
    after = bo.get("state")
    assert after["events"] == [] and after == before | {"now": after["now"]}
    assert b"private note" not in bo.ask("state")[1] and b"ana" not in bo.ask("state")[1]
    assert "references" in bo.get(f"items/{item_id(1)}")
    assert bo.get(f"items/{item_id(1)}")["references"] is None


def test_nothing_names_a_model_a_round_or_a_run(ana: Rater) -> None:
    ana.send(event(0))
    names = [
        "",
        "page.js",
        "page.css",
        "state",
        *(f"items/{item_id(n)}" for n in range(4)),
    ]
    for name in names:
        text = ana.ask(name)[1].decode()
        assert not [secret for secret in SECRETS if secret in text.replace("getRandomValues", "")]
        assert not re.search(r"\bround\b|example_id|placing", text.replace("Math.round", "")), name


@pytest.mark.parametrize(
    ("when", "before", "after"),
    [("always", True, True), ("after_first_score", False, True), ("never", False, False)],
)
def test_references_come_when_the_rubric_says(
    tmp_path: Path, when: str, before: bool, after: bool
) -> None:
    with serving.serving(tmp_path, make_batch(given=make_rubric(reference=when))) as server:
        ana, path = Rater(server, "ana"), f"items/{item_id(0)}"
        assert bool(ana.get(path)["references"]) is before
        ana.send(event(0, "", True, kind="flag"), event(1))
        assert bool(ana.get(path)["references"]) is before
        ana.send(event(0))
        assert bool(ana.get(path)["references"]) is after
        ana.send(event(0, kind="clear", value=None))
        assert bool(ana.get(path)["references"]) is after, "what was seen stays seen"


@pytest.mark.parametrize(("shown", "roles"), [
    (False, [("system", True), ("user", False)]), (True, [("system", False), ("user", False)]),
    ("never", [("user", False)]),
])  # fmt: skip
def test_the_system_prompt_is_folded_open_or_left_out_as_the_rubric_says(
    shown: Any, roles: list[tuple[str, bool]]
) -> None:
    from harness_rating.batches.composing import item_of
    from harness_rating.page import payloads

    turns = ({"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"})
    given = make_rubric(system=shown)
    item = item_of("0" * 12, Example("row", turns), ["hi"], given)
    told = payloads.item(item, given, reference=False)
    assert [(turn["role"], turn.get("folded", False)) for turn in told["messages"]] == roles


def test_turns_of_every_form_are_text() -> None:
    from harness_rating.page import payloads

    turns = (
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image"}, "x"]},
        {"role": "assistant", "content": None, "tool_calls": [{"name": "find", "of": "é"}]},
        {"role": "tool", "content": {"found": 3}},
        {"role": "user", "content": "two\x1b[31m\u202e"},
    )
    messages = payloads.item(make_item(0, messages=turns), make_rubric(), reference=False)[
        "messages"
    ]
    assert messages[0]["text"] == "one" and messages[3]["text"] == "two"
    assert '"é"' in messages[1]["text"] and "found" in messages[2]["text"]


@pytest.mark.parametrize("writes", [False, True])
def test_calls_are_shown_as_calls_but_to_who_writes_answers(writes: bool) -> None:
    from harness_rating.batches.composing import item_of
    from harness_rating.page import payloads

    call = Answer("", (ToolCall("set_light", {"room": "hall"}),)).text
    row = Example("row", ({"role": "user", "content": "hello"},), (call,))
    given = make_rubric(*(() if writes else [serving.TONE]))
    shown = payloads.item(item_of("0" * 12, row, [call], given), given, reference=True)
    expected = [call if writes else 'set_light(room: "hall")']
    assert shown["answers"] == shown["references"] == expected


def test_nothing_tells_how_far_others_are(ana: Rater, bo: Rater) -> None:
    _, before = bo.send(event(1))
    ana.send(event(0), event(0, "tone", True), event(2))
    _, after = bo.send(event(1, "tone", True))
    assert before.keys() == after.keys() == {"saved", "refused", "at"}
    assert ana.ask("progress")[0] == 404


def test_the_first_page_is_small(ana: Rater) -> None:
    parts = [ana.ask(name)[1] for name in ("", "page.js", "page.css", "state")]
    assert sum(map(len, parts)) < 60_000
    assert sum(len(gzip.compress(part)) for part in parts) < 20_000


@pytest.mark.parametrize("name", ["page.js", "page.css"])
def test_script_and_style_come_zipped_to_who_can_read_it(ana: Rater, name: str) -> None:
    plain = ana.ask(name)[1]
    for refused in ("br", "gzip;q=0", "x-gzip"):
        ana.headers["Accept-Encoding"] = refused
        assert ana.ask(name)[1] == plain
    ana.headers["Accept-Encoding"] = "deflate, gzip"
    zipped = ana.ask(name)[1]
    assert gzip.decompress(zipped) == plain and len(zipped) < len(plain) / 2


# -- the packed page --------------------------------------------------------------------------


class Tags(HTMLParser):
    """Every element with its attributes, and the text of the data script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data, self._in_data = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_data = dict(attrs).get("id") == "data"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data


def packed(batch: Batch, rater: str) -> tuple[str, dict[str, Any]]:
    from harness_rating.page.pages import pack

    text = pack(batch, rater).decode()
    return text, json.loads(Tags(text).data)


def test_a_packed_page_holds_just_what_its_rater_needs() -> None:
    text, data = packed(make_batch(), "bo")
    assert data["items"] == [item_id(n) for n in (1, 2, 3)] == [one["id"] for one in data["texts"]]
    assert item_id(0) not in text and '"ana"' not in text
    assert not [s for s in SECRETS if s in text.replace("getRandomValues", "")]
    reaching = [(t, a) for t, a in Tags(text).tags if {"src", "href", "action"} & a.keys()]
    assert reaching == [("link", {"rel": "icon", "href": "data:,"})]
    assert "http:" not in text and "https:" not in text


def test_a_packed_page_has_no_reference_that_is_never_shown() -> None:
    _, data = packed(make_batch(given=make_rubric(reference="never")), "bo")
    assert all(text["references"] is None for text in data["texts"])
    _, data = packed(make_batch(), "bo")
    assert all(text["references"] for text in data["texts"])


def test_texts_cannot_leave_their_place_in_the_file() -> None:
    texts = [text for text in HOSTILE_TEXTS if len(text) < 10_000]
    items = [make_item(n, text, references=(text,)) for n, text in enumerate(texts)]
    plain = Tags(packed(make_batch([make_item(0)]), "ana")[0]).tags
    given = dataclasses.replace(make_rubric(), title=texts[0], instructions=texts[1])
    text, data = packed(make_batch(items, given), "ana")
    found = [(tag, {k: v for k, v in a.items() if k != "content"}) for tag, a in Tags(text).tags]
    wanted = [(tag, {k: v for k, v in a.items() if k != "content"}) for tag, a in plain]
    assert found == wanted
    assert len(data["texts"]) == len(texts) >= 60


def test_an_unknown_rater_is_named() -> None:
    from harness_rating.page.pages import pack

    with pytest.raises(UsageError, match="did you mean 'ana'"):
        pack(make_batch(), "anna")


def test_what_a_page_exports_can_be_kept(tmp_path: Path) -> None:
    """The page's own fold and the core's agree on what stands (the browser tests do the rest)."""
    store = Events(tmp_path, "ana")
    one, two = event(0, value=2), event(0, value=5, at="2026-11-25T15:30:01.000Z")
    store.extend([Event(rater="ana", **two), Event(rater="ana", **one)])
    assert [rating.value for rating in fold(store.all()).values()] == [5]


# -- trouble ----------------------------------------------------------------------------------


def test_a_missing_extra_says_how_to_get_it() -> None:
    program = (
        "import sys\n"
        "for name in ('starlette', 'jinja2', 'uvicorn'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from harness.errors import EnvironmentFailure\n"
        "from harness.kit.serving.address import Address\n"
        "from harness_rating.page import app, pages\n"
        "serve = lambda: app.rating_server(Path('.'), [], {}, Address(1))\n"
        "for call in (serve, pages._templates):\n"
        "    try: call()\n"
        "    except EnvironmentFailure as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.count(install_extra("web")) == 2


def test_nothing_of_the_extra_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, harness_rating.page.app, harness_rating.page.pages\n"
        "print(*{'starlette', 'jinja2', 'uvicorn', 'numpy', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_full_disk_is_told_and_nothing_is_called_saved(served: Any, ana: Rater) -> None:
    import resource

    ana.send(event(0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        status, body = ana.ask("events", {"events": [event(1)]})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert status == 503 and "saved" not in json.loads(body)
    assert len(written(served, "ana")) == 1
    again = event(1)
    assert ana.send(again)[1]["saved"] == [again["id"]] and len(written(served, "ana")) == 2


def test_a_damaged_file_is_told_and_not_written_to(served: Any, ana: Rater) -> None:
    path = served.folder / served.batches[0].name / "events" / "ana.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{broken}\n")
    status, body = ana.ask("state")
    assert status == 500 and "damaged" in json.loads(body)["error"]
    assert ana.ask("events", {"events": [event(0)]})[0] == 500
    assert path.read_bytes() == b"{broken}\n"


def test_a_damaged_file_of_one_rater_does_not_stop_another(served: Any, bo: Rater) -> None:
    path = served.folder / served.batches[0].name / "events" / "ana.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no event at all\n")
    assert bo.get("state")["events"] == [] and bo.send(event(1))[0] == 200
