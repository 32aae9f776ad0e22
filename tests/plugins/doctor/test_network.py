"""Whether hub and index answer: real requests to servers of this machine."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from harness_doctor.probes import network


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("code", [200, 204, 401, 403, 404, 405, 429])
def test_whoever_answers_is_reachable(servers: Any, code: int) -> None:
    server = servers(code)
    assert network.head(server.address) == {"state": "reachable", "reason": ""}
    assert server.asked == [("HEAD", "/")]


@pytest.mark.parametrize("code", [500, 502, 503])
def test_an_error_of_the_server(servers: Any, code: int) -> None:
    found = network.head(servers(code).address)
    assert found["state"] == "failing" and f"({code})" in found["reason"]


def test_a_redirect_is_an_answer_and_not_followed(servers: Any) -> None:
    other = servers()
    server = servers(302, {"Location": other.address})
    assert network.head(server.address)["state"] == "reachable"
    assert other.asked == []


def test_a_server_that_says_nothing(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SECONDS", 0.3)
    begun = time.monotonic()
    found = network.head(servers(0).address)
    assert found == {"state": "silent", "reason": "no answer within 0.3 s"}
    assert time.monotonic() - begun < 2


def test_nobody_there(servers: Any) -> None:
    server = servers()
    server.close()
    found = network.head(server.address)
    assert found == {"state": "silent", "reason": "Connection refused"}


def test_a_password_in_the_address_is_no_part_of_the_host(servers: Any) -> None:
    server = servers()
    address = server.address.replace("://", "://me:secret@")
    assert network.head(address)["state"] == "reachable"


def test_proxies_are_used(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = servers()
    monkeypatch.setenv("http_proxy", proxy.address)
    assert network.head("http://hub.invalid/models")["state"] == "reachable"
    assert proxy.asked == [("HEAD", "http://hub.invalid/models")]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://host/", "nonsense", ""])
def test_other_addresses_are_not_asked(address: str) -> None:
    assert network.head(address)["state"] == "unknown"


def test_the_index_is_the_one_of_pip(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = servers()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv(
        "PIP_INDEX_URL", f"{server.address.replace('://', '://me:secret@')}/a/simple/"
    )
    assert network._index() == {"state": "reachable", "reason": ""}
    assert server.asked == [("HEAD", "/a/simple/pip/")]


def test_a_python_without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "pip.py").write_text("raise ImportError('no pip here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = network._index()
    assert found["state"] == "no pip" and "no pip here" in found["reason"]
