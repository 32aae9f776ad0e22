"""``harness rate serve`` and ``adjudicate``: addresses, names, and one browser at both of them."""

from __future__ import annotations

import dataclasses
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness_rating.batches.records import SETTLED
from harness_rating.commands import page as rating
from harness_rating.page.app import PORT
from harness_rating.ratings.events import RATER
from tests.plugins.rating import material, served
from tests.support.ports import own_port
from tests.support.waiting import LONG


def said(project: Any, *arguments: str) -> list[str]:
    """What the command says before it waits for requests."""
    process = project.start("rate", *arguments, PYTHONUNBUFFERED="1")
    try:
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        return lines
    finally:
        process.kill()
        process.communicate()


def test_behind_a_proxy_links_begin_with_https(project: Any) -> None:
    served.need("starlette", "jinja2", "uvicorn")
    material.batch(project.folder / ".harness" / "ratings")
    address = ("--allow-host", "Rate.Example.org", "--port", str(own_port()))
    lines = said(project, "serve", "--https", *address)
    links = re.findall(r"\S+/in/\S+", " ".join(lines))
    assert len(links) == 2
    assert all(re.fullmatch(r"https://rate\.example\.org/in/[\w-]{43}", link) for link in links)


@pytest.mark.parametrize("who", ["Ana B", "", "../x", "a" * 33, "-a"])
def test_a_name_that_no_settler_can_have_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    material.batch(tmp_path / ".harness" / "ratings")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"--who: .* cannot be a name") as caught:
        rating.adjudicate(who, port=1)
    assert "lower-case letters" in str(caught.value.hint)
    assert RATER.fullmatch(f"{SETTLED}{'a' * 32}"), "and every other name can write events"


def test_who_rates_and_settles_can_do_both_in_one_browser(tmp_path: Path) -> None:
    """Browsers send cookies to every port of a machine, so their paths keep them apart."""
    served.need("starlette", "jinja2", "uvicorn")
    batch = served.batch()
    settler = dataclasses.replace(
        batch, raters=("settled-ana",), assignments={"settled-ana": batch.assignments["ana"]}
    )
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with (
        served.serving(tmp_path / "one", batch) as one,
        served.serving(tmp_path / "two", settler) as other,
    ):
        seats: list[tuple[Any, str]] = [(one, "ana"), (other, "settled-ana"), (one, "bo")]
        for server, rater in seats:
            browser.open(server.links[rater], timeout=LONG).close()
        for server, rater in seats:
            place = f"{server.origin}/b/{batch.name}/{rater}"
            with browser.open(f"{place}/state", timeout=LONG) as found:
                assert json.load(found)["rater"] == rater


def test_the_two_pages_have_ports_of_their_own() -> None:
    import typer

    from harness.cli.commands import app

    root: Any = typer.main.get_command(app)
    commands = root.get_command(None, "rate").load().commands
    ports = [
        param.default for name in ("serve", "adjudicate") for param in commands[name].params
        if param.name == "port"
    ]  # fmt: skip
    assert ports == [PORT, PORT + 1]
