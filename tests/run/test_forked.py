"""A job in a fork of the process that was started for it, as on a node of a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.kit.files import read_json
from harness.records import Checkpoint, Example
from harness.run.job import Job, write
from tests.support.waiting import until

PLUGIN = """
import os, signal, time
import harness

class Forked(harness.Generator):
    name = "forked"

    class Options(harness.Options):
        do: str = ""

    def generate(self, checkpoint, examples, context):
        print("printed by the job", flush=True)
        if self.options.do == "raise":
            raise harness.DataError("bad row")
        if self.options.do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        for step in range(2400 if self.options.do == "wait" else 1):
            context.progress(step, 2400, str(os.getpid()))
            time.sleep(0.05 if self.options.do else 0)
        context.note(parent=os.getppid(), group=os.getpgid(0) == os.getpid())
        for row in examples:
            yield harness.Prediction(row.id, row.prompt)

@harness.hookimpl
def register_generators():
    return [Forked]
"""
NODE = """
import os, sys
from pathlib import Path
import harness

told = os.dup(1)

def report(done, total, what):
    os.write(told, what.encode() + b"\\n")

try:
    result = harness.fork_job(Path(sys.argv[1]), report, lambda: os.path.exists("stop"))
    os.write(told, str(result["facts"]).encode())
except BaseException as error:
    os.write(told, f"{type(error).__name__}: {error}".encode())
"""


def started(folder: Path, do: str = "") -> subprocess.Popen[str]:
    """A process that does a job of one row, in ``folder``."""
    plugin = folder / "forked.py"
    plugin.write_text(PLUGIN)
    job = Job(
        "generator", "forked", {"do": do}, (str(plugin),), Checkpoint("base", "/x", "d"),
        ("examples",), seed=5, round=2, arm="main",
    )  # fmt: skip
    write(job, {"examples": [Example("e", ({"role": "user", "content": "text"},))]}, folder / "job")
    command = [sys.executable, "-c", NODE, str(folder / "job")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)


def said(process: subprocess.Popen[str]) -> str:
    """What it tells, without the steps of the job."""
    return process.communicate(timeout=60)[0].lstrip("0123456789\n")


def test_it_is_done_in_one_fork_and_its_answer_is_given(tmp_path: Path) -> None:
    process = started(tmp_path)
    facts: dict[str, Any] = {"parent": process.pid, "group": True}
    assert said(process).strip() == str(facts)
    assert read_json(tmp_path / "job" / "result.json") == {"answer": 1, "facts": facts}
    assert "printed by the job" in (tmp_path / "job" / "log.txt").read_text()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    ("do", "words"),
    [("raise", "DataError: bad row"), ("die", "JobKilled: the job's process was killed")],
)
def test_its_error_and_its_death_are_told(tmp_path: Path, do: str, words: str) -> None:
    assert words in said(started(tmp_path, do))


@pytest.mark.parametrize("killed", [True, False])
def test_it_ends_with_the_process_that_was_started_or_when_it_is_asked_to(
    tmp_path: Path, killed: bool
) -> None:
    process = started(tmp_path, "wait")
    assert process.stdout is not None
    job = int(process.stdout.readline())
    if killed:
        process.kill()
    else:
        (tmp_path / "stop").touch()
        assert said(process).startswith("Cancelled")
    process.wait()
    until(lambda: gone(job), "the end of the job's process")
    process.stdout.close()


def gone(process: int) -> bool:
    """Whether a process is not there, or a zombie."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
