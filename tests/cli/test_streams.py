"""Output that nobody reads, or that cannot be written: how a command ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.kit.terminal.streams import Unread, outlets
from tests.support.waiting import LONG

COMMANDS = {
    "a table": ("score", "-p", "answers.txt", "-r", "answers.txt", "-m", "exact"),
    "a document": ("score", "-p", "answers.txt", "-r", "answers.txt", "-m", "exact", "--json"),
    "help": ("--help",),
    "a list as JSON": ("plugins", "--json"),
}
FULL = Path("/dev/full")


@pytest.fixture
def answers(project: Any) -> Any:
    project.write("one two\nthree\n", "answers.txt")
    return project


def unread() -> int:
    """The end of a pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def run(project: Any, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        project.command(*arguments), cwd=project.folder, text=True, timeout=LONG, **streams
    )


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("case", ["a table", "help", "a list as JSON"])
def test_a_reader_that_leaves_ends_the_command_quietly(answers: Any, case: str) -> None:
    done = run(answers, *COMMANDS[case], stdout=unread())
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.nightly
def test_a_message_that_nobody_reads_ends_quietly_too(answers: Any) -> None:
    done = run(answers, "score", "-p", "none.txt", "-r", "answers.txt", stderr=unread())
    assert (done.returncode, done.stdout) == (141, "")


@pytest.mark.nightly
def test_a_pipeline_ends_as_other_tools_do(answers: Any) -> None:
    harness = " ".join(f"'{part}'" for part in answers.command(*COMMANDS["a list as JSON"]))
    script = f'{harness} | head -n 1; echo "${{PIPESTATUS[@]}}"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=answers.folder, capture_output=True, text=True, timeout=LONG
    )
    first, codes = done.stdout.splitlines()
    assert first.startswith("{") and done.stderr == ""
    # A short text may be in the pipe before its reader leaves.
    assert codes in ("141 0", "0 0")


@pytest.mark.nightly
def test_a_run_whose_output_nobody_reads_stops_and_goes_on_later(project: Any) -> None:
    pipe = unread()
    assert run(project, "iterate", "--rounds", "1", stdout=pipe, stderr=pipe).returncode == 141
    assert not list(project.folder.glob("reports/*"))
    again = project.inside("iterate", "--rounds", "1", "--json")
    assert again.code == 0, again.err


TALKER = """
import os, harness
class Talker(harness.Metric):
    \"\"\"Says much.\"\"\"
    name = "talker"
    def measure(self, prediction, example):
        print("measuring", flush=True)
        return 1.0
@harness.hookimpl
def register_metrics():
    return [Talker]
"""


@pytest.mark.nightly
def test_a_plugin_that_prints_is_not_to_blame(answers: Any) -> None:
    answers.write(TALKER, "talker.py")
    command = ("score", "-p", "answers.txt", "-r", "answers.txt", "-m", "talker",
               "--plugin", "talker.py", "--json")  # fmt: skip
    heard = run(answers, *command)
    assert heard.returncode == 0 and "measuring" in heard.stderr and "measuring" not in heard.stdout
    done = run(answers, *command, stderr=unread())
    assert (done.returncode, done.stdout) == (141, "")


@pytest.mark.nightly
@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("case", ["a document", "help"])
def test_a_full_disk_is_one_message(answers: Any, case: str) -> None:
    with FULL.open("w") as full:
        done = run(answers, *COMMANDS[case], stdout=full)
    assert done.returncode == 3
    assert done.stderr.count("the disk is full") == 1 and len(done.stderr.splitlines()) == 2


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("case", "closed"), [("a table", "2>&-"), ("a document", ">&-"), ("a table", ">&- 2>&-")]
)
def test_streams_that_are_closed_from_the_start(answers: Any, case: str, closed: str) -> None:
    harness = " ".join(f"'{part}'" for part in answers.command(*COMMANDS[case]))
    done = subprocess.run(
        ["bash", "-c", f"{harness} {closed}"], cwd=answers.folder, capture_output=True, text=True,
        timeout=LONG,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (closed == "2>&-")


def test_another_pipe_that_breaks_is_not_taken_for_an_output() -> None:
    with pytest.raises(BrokenPipeError), outlets():
        os.write(unread(), b"x")


def test_streams_are_as_they_were_afterwards(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "out.txt"
    with path.open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with outlets():
            print("what is é?")
            assert sys.stdout is not stream
        assert sys.stdout is stream
        print("after")
    assert path.read_text() == "what is ??\nafter\n"


def test_the_first_write_after_the_reader_left_ends_the_program(monkeypatch: Any) -> None:
    with open(unread(), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with outlets():
            print("held back")
            with pytest.raises(Unread):
                sys.stdout.flush()
            print("to nowhere", flush=True)  # what still runs, such as a thread, may go on
        monkeypatch.undo()


@pytest.mark.nightly(but_each=2)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(("stream", "code"), [("stderr", 2), ("stdout", 3)])
def test_a_full_disk_behind_a_stream(project, stream, code):
    arguments = ["report", "no-such-run"] if stream == "stderr" else ["plugins"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            project.command(*arguments), cwd=project.folder, text=True, timeout=LONG,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full},
        )  # fmt: skip
    assert done.returncode == code
    if stream == "stdout":
        assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
