"""Everything that an endpoint can do wrong: one message, bounded retries, the rest is kept."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time

import pytest

import harness
from harness.kit.installing import install_extra
from harness_rating.judge.asking import Asker, Question
from harness_rating.judge.endpoint import Endpoint
from harness_rating.judge.faults import Fault
from harness_rating.judge.options import Asking

MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


@pytest.fixture
def endpoint(server, here):
    made = []

    def make(**changed):
        options = {"endpoint": server.url, "model": "tester", "timeout": 0.4, "wait": 0, **changed}
        made.append(Endpoint(Asking(**options)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_request_is_what_such_apis_take(server, endpoint, words):
    server.says = lambda asked: words.said("hello \ud800 ünïcode")
    assert endpoint().ask(MESSAGES, 7) == "hello \ud800 ünïcode"
    (asked,) = server.asked
    assert asked.headers["path"] == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {words.SECRET}"
    assert asked.body == {
        "model": "tester", "messages": MESSAGES, "seed": 7, "temperature": 0.7, "max_tokens": 512,
    }  # fmt: skip


def test_without_a_key_none_is_sent(server, endpoint, words, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    server.says = lambda asked: words.said("ok")
    assert endpoint(temperature=None, max_tokens=None).ask(MESSAGES, 1) == "ok"
    assert "Authorization" not in server.asked[0].headers
    assert set(server.asked[0].body) == {"model", "messages", "seed"}


@pytest.mark.parametrize(
    ("answer", "words_of_it", "again"),
    [
        ({"status": 429, "body": b"slow down"}, "429 (too many requests)", True),
        ({"status": 500, "body": b"<html>oops</html>"}, "500 (internal server error)", True),
        ({"status": 503}, "503 (service unavailable)", True),
        ({"status": 599}, "599 (unknown)", True),
        ({"status": 400, "body": b'{"error": {"message": "too long"}}'},
         "400 (bad request), too long", False),
        ({"body": b"<!doctype html><p>log in"}, "HTML instead of JSON", True),
        ({"body": b""}, "an empty body", True),
        ({"body": b'{"choices": [{"mess'}, "half a body, or no JSON", True),
        ({"body": b'{"choices": [{"message": {"content": "x"}}]}', "cut": True},
         "a response that was cut", True),
        ({"body": b'{"choices": []}'}, "JSON of another form", True),
        ({"body": b"[" * 100_000}, "half a body, or no JSON", True),
        ({"body": b'{"choices": [{"message": {"content": 5}}]}'}, "JSON of another form", True),
        ({"body": b"x" * (5 << 20)}, "an answer of over 4 MiB", False),
        ({"body": b"{}", "slow": 1.0}, "no answer within 0.4 s", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_fault_is_named(server, endpoint, words, answer, words_of_it, again):
    server.says = lambda asked: words.Answer(**answer)
    with pytest.raises(Fault) as caught:
        endpoint().ask(MESSAGES, 1)
    assert (caught.value.words, caught.value.again) == (words_of_it, again)


def test_a_server_that_drips_is_left_in_time(here):
    """Each byte comes in time, the whole never does."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    model = Endpoint(Asking(endpoint=address, model="m", timeout=0.4))
    begin = time.monotonic()
    with pytest.raises(Fault, match=r"no whole answer within 0.4 s"):
        model.ask(MESSAGES, 1)
    assert time.monotonic() - begin < 3
    stop.set()
    thread.join()
    model.close()
    listener.close()


def test_nobody_there_is_no_connection(here):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = Endpoint(Asking(endpoint=f"http://127.0.0.1:{port}", model="m", timeout=2))
    with pytest.raises(Fault, match="no connection"):
        model.ask(MESSAGES, 1)
    model.close()


@pytest.mark.parametrize(
    ("status", "what", "hint"),
    [
        (401, "the key in the environment variable OPENAI_API_KEY is refused: 401", "set OPENAI"),
        (403, "the key in the environment variable OPENAI_API_KEY is refused: 403", "set OPENAI"),
        (404, "there is no such model or address: 404 (not found), no such model", "/v1"),
        (302, "there is no such model or address: 302 (found)", "/v1"),
    ],
)
def test_what_no_try_can_mend_stops_at_once(server, endpoint, words, status, what, hint):
    body = json.dumps({"error": {"message": f"no such model; {words.SECRET}"}}).encode()
    headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    server.says = lambda asked: words.Answer(status, body, headers)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        endpoint().ask(MESSAGES, 1)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.where == f"judge tester at {server.url}"
    assert words.SECRET not in str(caught.value)
    assert "[the key]" in caught.value.what
    assert len(server.asked) == 1


def test_a_key_that_is_needed_and_not_set_is_told(server, endpoint, words, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    server.says = lambda asked: words.Answer(401)
    with pytest.raises(harness.EnvironmentFailure, match="needed, and the variable is not set"):
        endpoint().ask(MESSAGES, 1)


def test_a_key_that_cannot_be_one_is_refused_unseen(endpoint, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-one sk-two")
    with pytest.raises(harness.EnvironmentFailure, match="MY_KEY holds no key") as caught:
        endpoint(key="MY_KEY")
    assert "sk-" not in str(caught.value)


def test_a_key_that_is_echoed_comes_no_further(server, endpoint, words):
    echo = f"you are {words.SECRET}!"
    server.says = lambda asked: words.said(echo)
    assert endpoint().ask(MESSAGES, 1) == "you are [the key]!"
    body = words.said(echo).body.replace(b"/", b"\\/")
    server.says = lambda asked: words.Answer(200, body)
    assert endpoint().ask(MESSAGES, 1) == "you are [the key]!"


def test_a_made_up_key_spoils_no_reply(server, endpoint, words, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    server.says = lambda asked: words.said("the answer is EMPTY")
    assert endpoint().ask(MESSAGES, 1) == "the answer is EMPTY"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("2", 2, 2), ("0.5", 0.5, 0.5), ("86400", 60, 60), ("-3", 0, 0), ("soon", 0, 0),
     ("nan", 0, 0), ("inf", 60, 60), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
     ("Fri, 01 Jan 2100 00:00:00 GMT", 60, 60)],
)  # fmt: skip
def test_a_server_may_ask_to_be_left_alone_for_a_while(
    server, endpoint, words, header, least, most
):
    server.says = lambda asked: words.Answer(429, b"", {"Retry-After": header})
    with pytest.raises(Fault) as caught:
        endpoint().ask(MESSAGES, 1)
    assert least <= caught.value.after <= most


def test_without_the_package_the_extra_is_named(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        Endpoint(Asking(endpoint="http://127.0.0.1:9/v1", model="m"))
    assert install_extra("judge") in str(caught.value)


# -- many answers -------------------------------------------------------------------------------


def test_429_then_fine_needs_no_attention(server, metric, pairs, words):
    seen = set()

    def once(asked):
        name = asked.user + asked.criterion
        if name not in seen:
            seen.add(name)
            return words.Answer(429, b"", {"Retry-After": "0"})
        return words.fair(asked)

    server.says = once
    one = metric()
    one.ready(pairs)
    assert len(server.asked) == 2 * len(seen)
    assert one.measure(*pairs[1])[0] == 1.0


def test_only_what_is_missing_is_asked_again(server, metric, pairs, words):
    def patchy(asked):
        if asked.text().endswith(("answer 4", "answer 7")):
            return words.Answer(500 if "7" in asked.text() else 429)
        return words.fair(asked)

    server.says = patchy
    with pytest.raises(harness.EnvironmentFailure) as caught:
        metric(tries=2).ready(pairs)
    error = caught.value
    assert error.exit_code == 3
    assert error.what.startswith("2 of 10 answers could not be judged: 1 x ")
    assert "1 x 429 (too many requests)" in error.what
    assert "1 x 500 (internal server error)" in error.what
    assert error.what.endswith("what is judged is kept")
    assert error.hint == "the same command asks only for the missing"
    assert sum("answer 4" in asked.text() for asked in server.asked) == 2  # tries

    server.says, server.asked = words.fair, []
    one = metric(tries=2)
    one.ready(pairs)
    assert sorted((a.criterion, a.text()) for a in server.asked) == [
        ("Polite", "a good answer 7"), ("Right", "a good answer 7"), ("Right", "a poor answer 4"),
    ]  # fmt: skip
    server.asked = []
    metric().ready(pairs)
    assert server.asked == []
    assert [one.measure(*pair)[0] for pair in pairs] == [0.0, 1.0] * 5


def test_a_server_that_is_down_is_not_asked_for_everything(server, metric, pairs, words):
    server.says = lambda asked: words.Answer(503)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        metric(tries=1).ready(pairs)
    assert "10 of 10 answers could not be judged: " in caught.value.what
    assert re.search(
        r": \d x 503 \(service unavailable\), \d+ x not asked any more;", str(caught.value)
    )
    assert len(server.asked) <= 10  # six in a row, and what was under way


def test_a_wrong_key_is_asked_once_for_each_thread(server, metric, pairs, words, capfd):
    server.says = lambda asked: words.Answer(401, f"{words.SECRET} is wrong".encode())
    with pytest.raises(harness.EnvironmentFailure, match="is refused: 401"):
        metric().ready(pairs)
    assert len(server.asked) <= 4
    assert words.SECRET not in "".join(capfd.readouterr())


def test_waits_grow_and_end(server, endpoint, words, options):
    waits = []

    class Patience(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return False

    server.says = lambda asked: words.Answer(429, b"", {"Retry-After": "3"})
    asker = Asker(Asking(endpoint=server.url, model="m", tries=9, wait=2))
    with pytest.raises(Fault):
        asker._patiently(endpoint(), Question("1", None, 0, MESSAGES), 1, Patience())
    assert waits == [3, 4, 8, 16, 32, 60, 60, 60]
    assert len(server.asked) == 9


def test_the_user_may_stop_and_go_on(server, metric, pairs, words):
    def stopped(done, total, what):
        if done >= 3:
            raise harness.Cancelled

    one = metric()
    one.progress = stopped
    with pytest.raises(harness.Cancelled):
        one.ready(pairs)
    before = len(server.asked)
    assert 3 <= before < 10
    time.sleep(0.1)
    assert len(server.asked) <= before + 2  # what was under way
    first = {(asked.criterion, asked.text()) for asked in server.asked}
    server.asked = []
    metric().ready(pairs)
    again = {(asked.criterion, asked.text()) for asked in server.asked}
    assert len(first & again) <= 2


def test_the_key_is_in_no_file(server, metric, pairs, words, here):
    server.says = lambda asked: words.judged(
        5 if asked.criterion == "Right" else "yes", f"your key is {words.SECRET}"
    )
    one = metric()
    one.ready(pairs)
    one.remarks(pairs)
    files = [path for path in here.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if words.SECRET.encode() in path.read_bytes()]
    assert any(b"[the key]" in path.read_bytes() for path in files)
    assert words.SECRET not in repr(one.options) + one.signature() + repr(vars(one))
    assert os.environ["OPENAI_API_KEY"] == words.SECRET
