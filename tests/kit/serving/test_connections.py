"""Slow connections: people are served beside them, and they end; streams, which do not."""

from __future__ import annotations

import http.client
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.kit.serving import security
from tests.kit.serving import pages
from tests.support.ports import own_port
from tests.support.waiting import LONG, until

pages.need()

SLOW = {
    "nothing": b"",
    "headers": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
}


def held_against(tmp_path: Path, descriptors: int, count: int, sent: bytes) -> None:
    """A page comes beside so many connections that never finish what they ask, and long
    before the server loses its patience with these."""
    port = own_port()
    log = tmp_path / "stderr"
    with ExitStack() as stack:
        stream = stack.enter_context(log.open("wb"))
        server = pages.process(port, descriptors, stream)
        stack.callback(server.wait)
        stack.callback(server.kill)
        for turn in range(2):
            for _ in range(count):
                slow = socket.create_connection(("127.0.0.1", port), timeout=LONG)
                stack.callback(slow.close)
                slow.sendall(sent)
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
            asked.request("GET", "/in/no-token")
            assert asked.getresponse().status in (403, 404), f"turn {turn}"
            asked.close()
        assert log.read_bytes() == b""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("kind", SLOW)
def test_slow_connections_lock_nobody_out(tmp_path: Path, kind: str) -> None:
    held_against(tmp_path, 160, 200, SLOW[kind])


@pytest.mark.nightly
@pytest.mark.parametrize("kind", SLOW)
def test_as_many_as_there_are_descriptors(tmp_path: Path, kind: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        held_against(tmp_path, 1024, 1100, SLOW[kind])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_headers_have_a_time_limit(monkeypatch: Any) -> None:
    from harness.kit.serving import connections

    with pages.served() as page:
        address = ("127.0.0.1", page.address.port)
        monkeypatch.setattr(connections, "PATIENCE", 2 * LONG)
        with socket.create_connection(address, timeout=LONG) as whole:
            whole.sendall(b"GET /in/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert whole.recv(4096).startswith(b"HTTP/1.1 421")
        monkeypatch.setattr(connections, "PATIENCE", 0.3)
        with socket.create_connection(address, timeout=LONG) as half:
            half.sendall(b"GET /in/x HTTP/1.1\r\nHost: ")

            def closed() -> bool:  # a byte now and then is no request
                try:
                    half.sendall(b"x")
                except OSError:
                    return True
                return False

            until(closed, "the end of the connection")


def test_a_browser_may_pause_between_requests(monkeypatch: Any) -> None:
    from harness.kit.serving import connections

    monkeypatch.setattr(connections, "PATIENCE", 2 * LONG)
    with pages.served() as page:
        asked = http.client.HTTPConnection("127.0.0.1", page.address.port, timeout=LONG)
        for _ in range(3):
            asked.request("GET", f"/in/{page.token}")
            answer = asked.getresponse()
            answer.read()
            assert answer.status == 303
            monkeypatch.setattr(connections, "PATIENCE", 0.2)  # the headers of a request come whole
            time.sleep(0.3)
        assert asked.sock is not None
        asked.close()


def test_a_stream_outlives_all_patience_and_a_crowd(monkeypatch: Any) -> None:
    from harness.kit.serving import connections

    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    monkeypatch.setattr(security, "PATIENCE", 0.5)
    with pages.served() as page, ExitStack() as crowd, page.asked("/small/stream") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Content-Security-Policy"] == pages.POLICY
        assert stream.headers["Cache-Control"] == "no-store"
        for patient in (connections, security):
            monkeypatch.setattr(patient, "PATIENCE", 2 * LONG)
        monkeypatch.setattr(connections.Connection, "most", 5)
        for _ in range(20):
            address = ("127.0.0.1", page.address.port)
            crowd.enter_context(socket.create_connection(address, timeout=LONG))
            assert page.ask("/small/").status == 200
        for _ in range(20):  # one each 50 ms: twice as long as there was patience
            assert stream.read(12) == b"data: tick\n\n"


def test_streams_end_with_the_server(capsys: Any) -> None:
    """By themselves: where the server has to cancel them it says so."""
    with pages.served() as page, ExitStack() as stack:
        streams = [stack.enter_context(page.asked("/small/stream")) for _ in range(3)]
        for stream in streams:
            stream.read(12)
        page.server.should_exit = True
        page.thread.join(LONG)
        assert not page.thread.is_alive() and not page.server.server_state.tasks
        assert capsys.readouterr().err == ""
        for stream in streams:
            with pytest.raises(http.client.IncompleteRead):
                stream.read()  # to its end, which is that of the connection
