"""``harness rate serve`` and ``adjudicate`` as processes: links, Ctrl-C, and what is refused."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.ports import own_port
from tests.support.waiting import LONG

LINK = re.compile(r"^  (\S+)\n    (http://\S+/in/[\w-]{43})$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _extra() -> None:
    missing = [n for n in ("starlette", "jinja2", "uvicorn") if not importlib.util.find_spec(n)]
    if missing:
        message = f"no {', '.join(missing)} here: pip install -e '.[web,dev]'"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@pytest.fixture
def port() -> int:
    return own_port()


@contextmanager
def started(desk: Any, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, once it has said all that it says before Ctrl-C."""
    process = desk.project.start("rate", *arguments, COLUMNS="80", PYTHONUNBUFFERED="1")
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        yield process, lines
    finally:
        process.kill()
        process.communicate()


def links_in(lines: list[str]) -> dict[str, str]:
    """Rater -> link."""
    assert max(map(len, lines)) <= 80
    return dict(LINK.findall("\n".join(lines)))


def page(link: str) -> str:
    """What a rater's browser shows, with the cookie that the link sets."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(link, timeout=LONG) as found:
        return str(found.read().decode())


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)
    return process.returncode, out, err


def test_serve_prints_a_link_for_each_rater_until_ctrl_c(desk, port):
    with started(desk, "serve", "--port", str(port)) as (process, lines):
        links = links_in(lines)
        assert links.keys() == {"ana", "bo"} and len(set(links.values())) == 2
        assert desk.name in lines and lines[-1] == (
            "Ctrl-C stops the page; nothing that was saved is lost."
        )
        assert "<title>Short" in page(links["ana"])
        code, out, err = interrupted(process)
    assert (code, out) == (130, "")
    assert err.splitlines() == [
        "The page is stopped. The same command opens it again.",
        f"next: harness rate status {desk.name}",
    ]
    with started(desk, "serve", desk.name, "--port", str(port)) as (_, again):
        assert links_in(again) == links


@pytest.mark.nightly
def test_serve_without_a_name_serves_all_batches(desk, port):
    other = desk.another()
    with started(desk, "serve", "--port", str(port), "--host", "localhost") as (process, lines):
        assert [line for line in lines if line.startswith("short-")] == sorted([desk.name, other])
        assert links_in(lines).keys() == {"ana", "bo", "cy"}
        assert interrupted(process)[2].endswith("next: harness rate status\n")


@pytest.mark.nightly
def test_serve_leaves_out_a_damaged_batch(desk, port, refused):
    other = desk.another()
    (desk.ratings / other / "items.json").write_text("{}")
    with started(desk, "serve", "--port", str(port)) as (process, lines):
        assert [line for line in lines if line.startswith("short-")] == [desk.name]
        assert links_in(lines).keys() == {"ana", "bo"}
        assert f"batch {other} is left out: this batch was changed" in interrupted(process)[2]
    refused(desk.rate("serve", other, "--port", str(port)), 4, "is damaged", other)
    (desk.ratings / desk.name / "items.json").write_text("{}")
    result = desk.rate("serve", "--port", str(port))
    assert (result.code, result.out) == (4, "") and "nothing to serve" in result.err


@pytest.mark.nightly
def test_adjudicate_serves_what_raters_disagree_on(rated, port):
    given = ("adjudicate", "--who", "cy", "--port", str(port))
    with started(rated, *given) as (process, lines):
        assert links_in(lines).keys() == {"settled-cy"}
        assert interrupted(process)[0] == 130


def test_a_port_that_is_taken_is_told(desk, refused):
    with socket.create_server(("127.0.0.1", 0)) as bound:
        taken = str(bound.getsockname()[1])
        words = (f"port {taken}", "in use", "--port")
        refused(desk.rate("serve", "--port", taken), 3, *words)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "rate.example.org"])
def test_an_address_that_others_reach_needs_a_name(desk, refused, host):
    refused(desk.rate("serve", "--host", host), 2, f"--host {host}", "--allow-host NAME:8642")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("host", ["http://rate.example.org", "a b", "", "x/y", "a:b", "*"])
def test_a_name_that_is_no_host_is_refused(desk, refused, host):
    result = desk.rate("serve", "--host", "0.0.0.0", "--allow-host", host)
    refused(result, 2, f"--allow-host '{host}'", "NAME:PORT")


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(desk, refused, port):
    refused(desk.rate("serve", "--port", port), 2, "--port")


BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {name!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Block())
"""


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("starlette", ("serve",)),
        ("uvicorn", ("serve",)),
        ("jinja2", ("serve",)),
        ("jinja2", ("pack", "--rater", "ana", "-o", "ana.html")),
    ],
)
def test_without_the_extra_its_name_is_said(desk, refused, name, arguments):
    (desk.folder / "sitecustomize.py").write_text(BLOCK.format(name=name))
    path = os.pathsep.join(filter(None, [str(desk.folder), os.environ.get("PYTHONPATH")]))
    result = desk.project.process("rate", *arguments, PYTHONPATH=path)
    refused(result, 3, f"needs {name}", "pip install", "[web]")
    assert not (desk.folder / "ana.html").exists()
