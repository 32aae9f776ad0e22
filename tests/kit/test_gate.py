"""The four doors: open, closed for somebody else's config, and opened by --trust."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kit import gate
from tests.support.chat_server import Server
from tests.support.waiting import LONG, until

TOUCH = "import pathlib; pathlib.Path('ran').touch()"
COMMAND = [sys.executable, "-P", "-c", TOUCH]
DOORS: dict[str, Callable[[Server], object]] = {
    "start": lambda _: gate.start(COMMAND, by="me").wait(LONG),
    "run": lambda _: gate.run(COMMAND, by="me"),
    "start_apart": lambda _: gate.start_apart(COMMAND, by="me"),
    "run_python": lambda _: gate.run_python("timeit", "-n1", "-r1", TOUCH, by="me"),
    "import_file": lambda _: gate.import_file("touching", Path("touching.py"), by="me"),
    "open_url": lambda server: gate.open_url(
        urllib.request.Request(server.url, b"{}"), by="me", timeout=LONG
    ).read(),
    "reach": lambda server: gate.reach(server.url, by="me"),
    "library": lambda _: gate.library("json", "the model hub", by="me"),
    "secret": lambda _: gate.secret("HOME", by="me"),
    "code": lambda _: gate.code("the code of the model", by="me"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_shut_for_a_stranger_and_for_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "touching.py").write_text(TOUCH)
    server = Server()
    try:
        with gate.fresh():
            gate.close("run x, which was not begun here")
            with pytest.raises(gate.Untrusted, match="for by run x, which") as caught:
                DOORS[door](server)
            assert caught.value.where == "me" and "--trust" in caught.value.hint
            assert not (tmp_path / "ran").exists() and not server.asked
        with gate.fresh(trusting=True):
            gate.close("run x, which was not begun here")
            DOORS[door](server)
        if door in ("start", "run", "start_apart", "run_python", "import_file"):
            until((tmp_path / "ran").exists, "the program has run")
        assert len(server.asked) == (door == "open_url")
    finally:
        server.close()


@pytest.mark.parametrize(("trusting", "closed"), [(False, "run x"), (True, "")])
def test_a_process_of_ours_finds_its_gate_as_it_is_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusting: bool, closed: str
) -> None:
    program = tmp_path / "ours.py"
    program.write_text("from harness.kit import gate\nprint(gate.closed_for(), end='')\n")
    monkeypatch.setenv("HARNESS_GATE_CLOSED_FOR", "")
    with gate.fresh(trusting=trusting):
        gate.close("run x")
        said = gate.run_ours(program, capture_output=True, text=True)
    assert (said.stdout, said.returncode) == (closed, 0), said.stderr
