"""Servers that send without end: one deadline for a whole exchange, and proxies."""

from __future__ import annotations

import threading

import pytest

from harness.kit.remote.client import Client, body_of
from harness.kit.remote.faults import Fault
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import Request
from harness.kit.remote.transport import TIMEOUTS, Exchanges
from harness.kit.waiting import Deadline
from tests.support import dripping
from tests.support.chat_server import Server, said
from tests.support.waiting import LONG


def client(endpoint, **changed):
    return Client(ServerOptions(**{"endpoint": endpoint, "model": "m", "wait": 0, **changed}), "m")


def ask(made):
    options = ServerOptions(endpoint="http://127.0.0.1:9", model="m")
    return made.ask(body_of(options, Request([{"role": "user", "content": "u"}]), 1))


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize(
    ("drops", "pause", "words"),
    [
        (dripping.body, dripping.PAUSE, "no whole answer within 0.3 s"),
        (dripping.header, dripping.PAUSE, "no answer within 0.3 s"),
        (dripping.interim, dripping.PAUSE, "no answer within 0.3 s"),
        (dripping.interim, 0, "no answer within 0.3 s"),
        (dripping.silence, dripping.PAUSE, "no answer within 0.3 s"),
    ],
    ids=["body", "header", "interim", "flood", "silence"],
)
def test_a_server_without_an_end_is_left_in_time(here, drops, pause, words):
    with dripping.dripping(drops, pause) as address:
        made = client(address, timeout=0.3)
        with pytest.raises(Fault) as caught:
            ask(made)
        made.close()
    assert (caught.value.words, caught.value.again) == (words, True)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("drops", [dripping.body, dripping.header, dripping.interim])
def test_what_a_batch_asks_ends_too(here, monkeypatch, drops):
    monkeypatch.setattr("harness.kit.remote.client.LONGEST_FILE", 0.3)
    with dripping.dripping(drops) as address:
        made = client(address)
        for asked in (lambda: made.call("GET", "batches"), lambda: list(made.lines("files/x"))):
            with pytest.raises(Fault, match=r"answer within 0\.3 s"):
                asked()
        made.close()


def test_a_connection_that_others_have_is_not_waited_for_longer(here):
    waited = threading.Event()

    def ask_beside(exchanges):
        with pytest.raises(TIMEOUTS), exchanges.response("GET", "b", Deadline(0.1)):
            pass
        waited.set()

    with dripping.dripping(dripping.body) as address:
        exchanges = Exchanges(address, {}, 2 * LONG, 1)
        with exchanges.response("GET", "a", Deadline(2 * LONG)):
            beside = threading.Thread(target=ask_beside, args=[exchanges], daemon=True)
            beside.start()
            assert waited.wait(LONG / 4)
        beside.join()
        exchanges.close()


def test_an_interim_response_is_none(here):
    """A server may send one before its answer."""

    def drops():
        yield b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        answer = said("yes").body
        yield dripping.HEAD + b"Content-Length: %d\r\n\r\n" % len(answer) + answer

    with dripping.dripping(drops) as address:
        made = client(address, timeout=LONG)
        assert ask(made).text == "yes"
        made.close()


def test_a_proxy_of_the_environment_is_asked_for_others_alone(here, monkeypatch):
    proxy = Server(lambda asked: said("by the proxy"))
    own = Server(lambda asked: said("at once"))
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
    made = [client("http://model.invalid/v1"), client(own.url)]
    assert [ask(each).text for each in made] == ["by the proxy", "at once"]
    assert proxy.asked[0].headers["path"] == "http://model.invalid/v1/chat/completions"
    monkeypatch.setenv("no_proxy", "model.invalid")
    made.append(client("http://model.invalid/v1"))
    with pytest.raises(Fault, match="no connection"):
        ask(made[-1])
    for each in made:
        each.close()
    proxy.close()
    own.close()
