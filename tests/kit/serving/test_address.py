"""Where a page may be served, and who is told what about it."""

from __future__ import annotations

import socket

import pytest

from harness.errors import EnvironmentFailure, UsageError
from harness.kit.serving.address import Address, listen
from tests.support.ports import own_port


def test_an_open_address_needs_its_names() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "rate.example.org"):
        with pytest.raises(UsageError, match="other machines"):
            Address(8642, host).checked()
    named = Address(8642, "0.0.0.0", ("rate.example.org",), "https").checked()
    assert named.allowed == ("rate.example.org",)
    assert Address(8642).checked().allowed == ("127.0.0.1:8642",)
    assert Address(8642, "::1").checked().allowed == ("[::1]:8642",)
    assert Address(8642).link("x") == "http://127.0.0.1:8642/in/x"


def test_hosts_are_known_as_browsers_send_them() -> None:
    for given, scheme, sent in (
        ("Rate.Example.ORG:8642", "http", "rate.example.org:8642"),
        ("rate.example.org:80", "http", "rate.example.org"),
        ("Rate.example.org:443", "https", "rate.example.org"),
        ("rate.example.org:80", "https", "rate.example.org:80"),
    ):
        assert Address(8642, hosts=(given,), scheme=scheme).checked().allowed == (sent,)
    assert Address(8642, "LOCALHOST").checked().allowed == ("localhost:8642",)


def test_what_is_no_host_is_refused() -> None:
    for host in ("http://rate.example.org", "a b", "", "rate.example.org/", "x:123456"):
        with pytest.raises(UsageError, match="is no Host"):
            Address(8642, hosts=(host,)).checked()


def test_https_needs_the_names_of_the_proxy() -> None:
    with pytest.raises(UsageError, match="browsers know by another address") as caught:
        Address(8642, scheme="https").checked()
    assert "--allow-host" in str(caught.value.hint)


def test_a_taken_port_is_one_message() -> None:
    address = Address(own_port())
    with listen(address), pytest.raises(EnvironmentFailure, match=f"port {address.port}"):
        listen(address)


def test_the_body_of_an_answer_does_not_wait_for_its_headers() -> None:
    with listen(Address(own_port())) as bound, socket.create_connection(bound.getsockname()):
        connection, _ = bound.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
