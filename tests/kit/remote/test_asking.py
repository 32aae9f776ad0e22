"""Many requests: what is kept, what is asked again, waits, and when it is given up."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time

import pytest

import harness
from harness.kit import waiting
from harness.kit.remote import asking
from harness.kit.remote.asking import Asker
from harness.kit.remote.faults import NOT_ASKED, Fault, Faults
from harness.kit.remote.options import NOT_DECISIVE, ServerOptions
from harness.kit.remote.replies import Reply, Request
from harness.kit.telling import telling
from tests.support.chat_server import Answer, Server, said
from tests.support.waiting import LONG

MESSAGES = [{"role": "user", "content": "u"}]


def silent(done, total, what):
    return None


@pytest.fixture
def asker(server, here):
    def make(**changed):
        options = {"endpoint": server.url, "model": "tester", "timeout": LONG, "wait": 0, **changed}
        return Asker(ServerOptions(**options), f"tester at {server.url}")

    return make


def prompts(*texts, draw=0):
    return [Request([{"role": "user", "content": text}], draw) for text in texts]


def test_each_request_has_its_answer(server, asker):
    server.says = lambda asked: said(asked.user.upper())
    outcomes = dict(asker().ask(prompts("a", "b", "a"), silent))
    assert [outcomes[place].text for place in range(3)] == ["A", "B", "A"]
    assert len(server.asked) == 2


OPTIONS = {
    "model": "other", "temperature": 0.5, "max_tokens": 16, "send_as": {"seed": None},
    "endpoint": None, "timeout": LONG + 1, "tries": 2, "wait": 1, "concurrency": 2,
    "key": "OTHER_KEY", "price": {"in": 1, "out": 1}, "cache": None, "batch": None,
}  # fmt: skip
"""Each option of a server -> another value; None: changed in a way of its own, below."""
REQUEST = {
    "messages": [{"role": "user", "content": "b"}], "draw": 1, "tools": [{"name": "f"}],
    "model": "other", "schema": {"type": "object"},
}  # fmt: skip
"""Each field of a request that is compared -> another value."""


def test_each_option_and_each_part_of_a_request_is_decided_on():
    """A new one is part of the key by itself; whether that is right is decided here."""
    assert OPTIONS.keys() == ServerOptions.model_fields.keys()
    assert NOT_DECISIVE.keys() < OPTIONS.keys()
    compared = {field.name for field in dataclasses.fields(Request) if field.compare}
    assert REQUEST.keys() == compared


@pytest.mark.parametrize("name", [name for name, value in OPTIONS.items() if value is not None])
def test_another_option_asks_again_where_it_decides_what_is_said(server, asker, name):
    list(asker().ask(prompts("a"), silent))
    list(asker(**{name: OPTIONS[name]}).ask(prompts("a"), silent))
    assert len(server.asked) == (1 if name in NOT_DECISIVE else 2)


def test_another_address_asks_again(server, asker):
    list(asker().ask(prompts("a"), silent))
    list(asker(endpoint=f"{server.url}/").ask(prompts("a"), silent))  # the same one
    assert len(server.asked) == 1
    other = Server()
    list(asker(endpoint=other.url).ask(prompts("a"), silent))
    other.close()
    assert len(other.asked) == 1


def test_another_way_to_send_it_does_not(asker):
    ways = [asker(), asker(batch=True)]
    assert len({way.key(request) for way in ways for request in prompts("a")}) == 1


def test_another_folder_has_answers_of_its_own(server, asker):
    list(asker().ask(prompts("a"), silent))
    for _ in range(2):
        list(asker(cache="elsewhere").ask(prompts("a"), silent))
    assert len(server.asked) == 2


@pytest.mark.parametrize("name", REQUEST)
def test_another_request_is_asked(server, asker, name):
    list(asker().ask(prompts("a"), silent))
    (first,) = prompts("a")
    list(asker().ask([dataclasses.replace(first, **{name: REQUEST[name]})], silent))
    list(asker().ask(prompts("a"), silent))
    assert len(server.asked) == 2


def test_draws_are_asked_for_with_other_seeds(server, asker):
    list(asker().ask([*prompts("a"), *prompts("a", draw=1)], silent))
    assert len({asked.body["seed"] for asked in server.asked}) == 2


def test_a_long_answer_is_kept_whole(server, asker):
    text = "\ud800é\0x" * 30_000
    server.says = lambda asked: said(text)
    list(asker(max_tokens=None).ask(prompts("a"), silent))
    reply = asker(max_tokens=None).known(prompts("a")[0])
    assert reply is not None and len(reply.text) == len(text)


def test_an_answer_that_will_not_do_is_asked_for_with_another_seed(server, asker):
    server.says = lambda asked: said("yes" if len(server.asked) == 3 else "no")
    request = Request(MESSAGES, accept=lambda text: text == "yes")
    ((_, reply),) = asker().ask([request], silent)
    assert reply.text == "yes" and reply.tries == 3
    assert len({asked.body["seed"] for asked in server.asked}) == 3


def test_a_kept_answer_that_will_not_do_is_tried_as_often_as_is_left(server, asker):
    server.says = lambda asked: said("no")
    list(asker(tries=2).ask([Request(MESSAGES)], silent))  # any answer will do
    request = Request(MESSAGES, accept=lambda text: text == "yes")
    ((_, reply),) = asker(tries=3).ask([request], silent)
    assert (reply.tries, len(server.asked)) == (3, 3)
    ((_, reply),) = asker(tries=3).ask([request], silent)
    assert (reply.tries, len(server.asked)) == (3, 3)


def test_waits_grow_and_end(server, asker):
    waits = []

    class Patience(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return False

    server.says = lambda asked: Answer(429, b"", {"Retry-After": "3"})
    patient = asker(tries=9, wait=2)
    client = patient._client()
    with pytest.raises(Fault):
        patient._patiently(client, client.body(Request(MESSAGES), 1), Patience())
    client.close()
    assert waits == [3, 4, 8, 16, 32, 60, 60, 60]
    assert len(server.asked) == 9


def test_a_server_that_is_down_is_left_alone(server, asker):
    server.says = lambda asked: Answer(503)
    outcomes = dict(asker(tries=1).ask(prompts(*map(str, range(40))), silent))
    words = [outcome.words for outcome in outcomes.values()]
    assert words.count(NOT_ASKED) >= 40 - 11
    assert len(server.asked) <= 8 + 3  # eight in a row, and what was under way
    server.says = lambda asked: said("ok")
    outcomes = dict(asker().ask(prompts(*map(str, range(40))), silent))
    assert all(isinstance(outcome, Reply) for outcome in outcomes.values())


def test_a_wrong_key_ends_it(server, asker):
    server.says = lambda asked: Answer(401)
    with pytest.raises(harness.EnvironmentFailure, match="is refused"):
        list(asker().ask(prompts("a", "b"), silent))


def test_a_kept_answer_that_was_damaged_is_asked_for_again(server, asker, here):
    list(asker().ask(prompts("a"), silent))
    (file,) = (here / ".harness/replies").rglob("*.json")
    for damage in (b"{}", b"[]", b"", file.read_bytes()[:-9], b'{"schema": 3, "key": 1}'):
        file.write_bytes(damage)
        assert asker().known(prompts("a")[0]) is None


def test_why_nothing_more_is_asked_is_never_missed(server, asker, monkeypatch):
    """Whoever takes the answers looks between the end of the asking and its reason."""

    class Slow(queue.SimpleQueue):
        def put(self, item):
            time.sleep(0.2 * isinstance(item, tuple))
            super().put(item)

    monkeypatch.setattr(asking.queue, "SimpleQueue", Slow)
    monkeypatch.setattr(asking, "_TICK", 0.01)
    server.says = lambda asked: Answer(401)
    with pytest.raises(harness.EnvironmentFailure, match="is refused"):
        list(asker().ask(prompts("a", "b"), silent))


@pytest.mark.parametrize(("kept", "words"), [(True, "only for the missing"), (False, "all again")])
def test_what_is_kept_is_said_as_it_is(kept, words):
    faults = Faults("a server", "prompts have no answer", kept=kept)
    faults.check(2)
    faults.add("a", "503 (service unavailable)")
    with pytest.raises(harness.EnvironmentFailure) as caught:
        faults.check(2)
    assert ("are kept" in caught.value.what) == kept and words in caught.value.hint


def test_whom_one_waits_for_is_said_once(server, asker, monkeypatch):
    monkeypatch.setattr(waiting, "UNSAID", 0.05)
    monkeypatch.setattr(asking, "_TICK", 0.01)
    server.says = lambda asked: Answer(200, said("ok").body, slow=0.3)
    sentences, made = [], asker(concurrency=1)
    with telling(sentences.append):
        for text in "ab":
            list(made.ask(prompts(text), silent))
    (sentence,) = sentences
    assert sentence.startswith(f"waiting for tester at {server.url}, which has said nothing for")
