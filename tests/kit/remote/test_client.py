"""One request: what is sent, and everything that a server can do wrong."""

from __future__ import annotations

import json
import sys

import pytest
from pydantic import ValidationError

import harness
from harness.errors.installing import install_extra
from harness.kit.remote.client import Client
from harness.kit.remote.faults import Fault
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import Request
from tests.support.chat_server import SECRET, Answer, said
from tests.support.ports import own_port
from tests.support.waiting import LONG

MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


def ask(client, seed):
    return client.ask(client.body(Request(MESSAGES), seed)).text


@pytest.fixture
def client(server, here):
    made = []

    def make(**changed):
        options = {"endpoint": server.url, "model": "tester", "timeout": LONG, "wait": 0, **changed}
        made.append(Client(ServerOptions(**options), f"tester at {server.url}"))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_the_request_is_what_such_apis_take(server, client):
    server.says = lambda asked: said("hello \ud800 ünïcode")
    assert ask(client(), 7) == "hello \ud800 ünïcode"
    (asked,) = server.asked
    assert asked.headers["path"] == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {SECRET}"
    assert asked.body == {
        "model": "tester", "messages": MESSAGES, "seed": 7, "temperature": 0.0, "max_tokens": 512,
    }  # fmt: skip


def test_without_a_key_none_is_sent(server, client, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    server.says = lambda asked: said("ok")
    assert ask(client(temperature=None, max_tokens=None), 1) == "ok"
    assert "Authorization" not in server.asked[0].headers
    assert set(server.asked[0].body) == {"model", "messages", "seed"}


@pytest.mark.parametrize(
    ("answer", "phrase", "again"),
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
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_fault_is_named(server, client, answer, phrase, again):
    server.says = lambda asked: Answer(**answer)
    with pytest.raises(Fault) as caught:
        ask(client(), 1)
    assert (caught.value.words, caught.value.again) == (phrase, again)


def test_a_server_that_says_nothing_is_left_in_time(server, client):
    server.says = lambda asked: Answer(slow=LONG)
    with pytest.raises(Fault) as caught:
        ask(client(timeout=0.4), 1)
    assert (caught.value.words, caught.value.again) == ("no answer within 0.4 s", True)


def test_nobody_there_is_no_connection(here):
    address = f"http://127.0.0.1:{own_port()}"
    model = Client(ServerOptions(endpoint=address, model="m"), "m")
    with pytest.raises(Fault, match="no connection"):
        ask(model, 1)
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
def test_what_no_try_can_mend_stops_at_once(server, client, status, what, hint):
    body = json.dumps({"error": {"message": f"no such model; {SECRET}"}}).encode()
    headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    server.says = lambda asked: Answer(status, body, headers)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        ask(client(), 1)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.where == f"tester at {server.url}"
    assert SECRET not in str(caught.value)
    assert "[the key]" in caught.value.what
    assert len(server.asked) == 1


def test_a_key_that_is_needed_and_not_set_is_told(server, client, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    server.says = lambda asked: Answer(401)
    with pytest.raises(harness.EnvironmentFailure, match="needed, and the variable is not set"):
        ask(client(), 1)


def test_a_key_that_cannot_be_one_is_refused_unseen(client, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-one sk-two")
    with pytest.raises(harness.EnvironmentFailure, match="MY_KEY holds no key") as caught:
        client(key="MY_KEY")
    assert "sk-" not in str(caught.value)


def test_a_key_that_is_echoed_comes_no_further(server, client):
    echo = f"you are {SECRET}!"
    server.says = lambda asked: said(echo)
    assert ask(client(), 1) == "you are [the key]!"
    letters = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    for written in (SECRET.replace("/", "\\/"), SECRET.replace("+", "\\u002B"), letters):
        body = said(echo).body.replace(SECRET.encode(), written.encode())
        assert json.loads(body)["choices"][0]["message"]["content"] == echo
        server.says = lambda asked, body=body: Answer(200, body)
        assert ask(client(), 1) == "you are [the key]!"


def test_a_key_that_is_echoed_elsewhere_comes_no_further(server, client):
    written = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    line = f'{{"id": "{written}", "{written}": ["{written}"]}}'
    server.others = lambda *asked: Answer(200, f"{line}\n\nnone\n{line}".encode())
    clean = {"id": "[the key]", "[the key]": ["[the key]"]}
    made = client()
    assert [*made.lines("files/x/content")] == [clean, None, clean]
    server.others = lambda *asked: Answer(200, line.encode())
    assert made.call("GET", "batches/x") == clean
    server.others = lambda *asked: Answer(400, f'{{"error": "{written}"}}'.encode())
    with pytest.raises(Fault, match="the key"):
        made.call("GET", "batches/x")


def test_a_file_has_a_limit_of_all_its_bytes_and_of_each_line(server, client, monkeypatch):
    monkeypatch.setattr("harness.kit.remote.client.LARGEST", 100)
    monkeypatch.setattr("harness.kit.remote.client.LARGEST_FILE", 1 << 20)
    made, lines = client(), b'{"a": 1}\n' * 10
    server.others = lambda *asked: Answer(200, lines + b"[" + b" " * 200 + b"]\n" + lines)
    assert [*made.lines("f")] == [{"a": 1}] * 10 + [None] + [{"a": 1}] * 10
    server.others = lambda *asked: Answer(200, lines * 20_000)
    with pytest.raises(Fault, match="over 1 MiB") as caught:
        [*made.lines("f")]
    assert not caught.value.again


def test_a_made_up_key_spoils_no_reply(server, client, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    server.says = lambda asked: said("the answer is EMPTY")
    assert ask(client(), 1) == "the answer is EMPTY"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("2", 2, 2), ("0.5", 0.5, 0.5), ("86400", 60, 60), ("-3", 0, 0), ("soon", 0, 0),
     ("nan", 0, 0), ("inf", 60, 60), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
     ("Fri, 01 Jan 2100 00:00:00 GMT", 60, 60)],
)  # fmt: skip
def test_a_server_may_ask_to_be_left_alone_for_a_while(server, client, header, least, most):
    server.says = lambda asked: Answer(429, b"", {"Retry-After": header})
    with pytest.raises(Fault) as caught:
        ask(client(), 1)
    assert least <= caught.value.after <= most


def test_without_the_package_the_extra_is_named(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        Client(ServerOptions(endpoint="http://127.0.0.1:9/v1", model="m"), "m")
    assert install_extra("remote") in str(caught.value)


def test_what_the_server_counts_comes_with_the_answer(server, client):
    usage = {"prompt_tokens": 12, "completion_tokens": 3}
    server.says = lambda asked: said("x", model="tester-v2", usage=usage)
    made = client()
    reply = made.ask(made.body(Request(MESSAGES), 1))
    assert (reply.prompt_tokens, reply.answer_tokens, reply.served) == (12, 3, "tester-v2")
    server.says = lambda asked: said("x", model=["?"], usage={"prompt_tokens": -1.5})
    reply = made.ask(made.body(Request(MESSAGES), 1))
    assert (reply.prompt_tokens, reply.answer_tokens, reply.served) == (None, None, "")


@pytest.mark.parametrize(
    "count", [10**30, 10**400, 2**31, -1, -(10**30), 1.5, 1e300, float("inf"), "7", True, [7], {}]
)
def test_an_absurd_count_is_none(server, client, count):
    usage = {"prompt_tokens": count, "completion_tokens": 3}
    server.says = lambda asked: said("x", usage=usage)
    made = client()
    reply = made.ask(made.body(Request(MESSAGES), 1))
    assert (reply.text, reply.prompt_tokens, reply.answer_tokens) == ("x", None, 3)


@pytest.mark.parametrize(("status", "free"), [(429, True), (400, True), (500, False)])
def test_a_fault_says_whether_a_model_may_have_worked(server, client, status, free):
    server.says = lambda asked: Answer(status)
    with pytest.raises(Fault) as caught:
        ask(client(), 1)
    assert caught.value.free is free


def test_keys_may_have_other_names_or_be_left_out(server, client):
    server.says = lambda asked: said("ok")
    ask(client(send_as={"max_tokens": "max_completion_tokens", "seed": None}), 7)
    assert server.asked[0].body == {
        "model": "tester", "messages": MESSAGES, "temperature": 0.0, "max_completion_tokens": 512,
    }  # fmt: skip
    ask(client(send_as={"seed": "random_seed"}, max_tokens=None), 7)
    assert server.asked[1].body["random_seed"] == 7
    for wrong in ({"max_tokens": None}, {"model": "x"}):
        with pytest.raises(ValidationError):
            client(send_as=wrong)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
         "'max_completion_tokens' instead.", "send_as: {max_tokens: max_completion_tokens}"),
        ("Unrecognized request argument supplied: seed", "send_as: {seed: null}"),
        ("property 'seed' is unsupported", "send_as: {seed: null}"),
        ("Unsupported value: 'temperature' does not support 0 with this model. Only the default "
         "(1) value is supported.", "temperature: null"),
        ("seed: Extra inputs are not permitted", "send_as: {seed: null}"),
    ],
)  # fmt: skip
def test_a_key_that_the_server_refuses_names_the_option(server, client, message, hint):
    server.says = lambda asked: Answer(400, json.dumps({"error": {"message": message}}).encode())
    with pytest.raises(harness.EnvironmentFailure, match="the server does not take") as caught:
        ask(client(), 1)
    assert f"set {hint} beside" in caught.value.hint and "400 (bad request)" in caught.value.what


def test_a_prompt_that_is_too_long_is_a_fault_of_its_own(server, client):
    message = "'max_tokens' is too large: 512. This model supports at most 8192 tokens"
    server.says = lambda asked: Answer(400, json.dumps({"error": {"message": message}}).encode())
    with pytest.raises(Fault, match="too large"):
        ask(client(), 1)
