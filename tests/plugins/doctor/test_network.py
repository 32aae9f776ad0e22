"""Whether hub and index answer: real requests to servers of this machine."""

from __future__ import annotations

import os
from typing import Any

import pytest

from harness_doctor import config


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("code", [200, 204, 401, 403, 404, 405, 429])
def test_whoever_answers_is_reachable(servers: Any, code: int) -> None:
    server = servers(code)
    assert config.silence(server.address) == ""
    assert server.asked == [("HEAD", "/")]


@pytest.mark.parametrize("code", [500, 502, 503])
def test_an_error_of_the_server(servers: Any, code: int) -> None:
    assert f"({code})" in config.silence(servers(code).address)


def test_a_server_that_says_nothing(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "SECONDS", 0.3)
    assert config.silence(servers(0).address) == "TimeoutError"


def test_nobody_there(servers: Any) -> None:
    server = servers()
    server.close()
    assert config.silence(server.address) == "Connection refused"


def test_a_password_in_the_address_is_no_part_of_the_host(servers: Any) -> None:
    address = servers().address.replace("://", "://me:secret@")
    assert config.silence(address) == ""


def test_proxies_are_used(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = servers()
    monkeypatch.setenv("http_proxy", proxy.address)
    assert config.silence("http://hub.invalid/models") == ""
    assert proxy.asked == [("HEAD", "http://hub.invalid/models")]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://host/", "nonsense", ""])
def test_other_addresses_are_not_asked(address: str) -> None:
    assert config.silence(address) == "its address is neither http nor https"


def test_the_index_is_the_one_of_pip(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = servers()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv(
        "PIP_INDEX_URL", f"{server.address.replace('://', '://me:secret@')}/a/simple/"
    )
    assert config._silence_of_index() == ""
    assert server.asked == [("HEAD", "/a/simple/pip/")]


def test_a_python_without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "pip.py").write_text("raise ImportError('no pip here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "no pip here" in config._silence_of_index()
