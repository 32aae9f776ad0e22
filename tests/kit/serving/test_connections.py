"""Slow connections: whoever rates is served beside them, and they end."""

from __future__ import annotations

import http.client
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.rating import served as serving
from tests.support.ports import own_port
from tests.support.waiting import LONG, until

serving.need(*serving.NEEDED)

SLOW = {
    "nothing": b"",
    "headers": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
}


def held_against(tmp_path: Path, descriptors: int, count: int, sent: bytes) -> None:
    """A rater's page comes beside so many connections that never finish what they ask, and long
    before the server loses its patience with these."""
    port = own_port()
    log = tmp_path / "stderr"
    with ExitStack() as stack:
        stream = stack.enter_context(log.open("wb"))
        server = serving.process(tmp_path, port, descriptors, stream)
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


def test_headers_have_a_time_limit(tmp_path: Path, monkeypatch: Any) -> None:
    from harness.kit.serving import connections

    with serving.serving(tmp_path, serving.batch()) as server:
        address = ("127.0.0.1", server.port)
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


def test_a_browser_may_pause_between_requests(tmp_path: Path, monkeypatch: Any) -> None:
    from harness.kit.serving import connections

    monkeypatch.setattr(connections, "PATIENCE", 2 * LONG)
    with serving.serving(tmp_path, serving.batch()) as server:
        asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG)
        link = server.links["ana"].removeprefix(server.origin)
        for _ in range(3):
            asked.request("GET", link)
            answer = asked.getresponse()
            answer.read()
            assert answer.status == 303
            monkeypatch.setattr(connections, "PATIENCE", 0.2)  # the headers of a request come whole
            time.sleep(0.3)
        assert asked.sock is not None
        asked.close()
