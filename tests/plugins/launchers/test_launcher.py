"""Jobs that a launcher runs: submitted once, waited for, found again, and what their ends mean."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import Cancelled, EnvironmentFailure, OutOfMemory, PluginError
from harness.records import Checkpoint, Example
from harness.records.context import silent, unheard
from harness.registry import Registry
from harness.run.job import Job, write
from harness.stages import Resources
from harness_launchers import Carrier, Launched, Launcher, launcher, node
from harness_launchers.launcher import submitted_in, withdraw
from tests.support.launchers import SAMPLE
from tests.support.waiting import LONG

ECHO = """\
import os
import time

import harness

class Echo(harness.Generator):
    name = "echo"

    class Options(harness.Options):
        seconds: float = 0.0
        do: str = ""

    def generate(self, checkpoint, examples, context):
        if self.options.do == "raise":
            raise ValueError("a wrong shape")
        context.say("hello")
        for done, row in enumerate(examples, 1):
            end = time.monotonic() + self.options.seconds / len(examples)
            while time.monotonic() < end:  # it may be stopped
                time.sleep(0.05)
                context.progress(done - 1, len(examples))
            context.progress(done, len(examples))
            yield harness.Prediction(row.id, row.prompt.upper())

@harness.hookimpl
def register_generators():
    return [Echo]
"""


def sample() -> Launcher:
    plugin = Registry.build([SAMPLE]).get("runner", "sample").plugin
    made = plugin(plugin.Options())
    assert isinstance(made, Launcher)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


def laid_out(tmp_path: Path, **options: Any) -> Path:
    """A job in a folder of its own, as a run leaves it there; again: as it lays it out again."""
    path = tmp_path / "echo.py"
    path.write_text(ECHO)
    rows = [Example(f"e{n}", ({"role": "user", "content": f"text {n}"},)) for n in range(3)]
    job = Job(
        "generator", "echo", options, (str(path), str(SAMPLE)), Checkpoint("base", "/x", "d"),
        ("examples",), seed=5, round=2, arm="main",
    )  # fmt: skip
    folder = tmp_path / "job"
    write(job, {"examples": rows}, folder)
    return folder


def done(jobs: Launcher, folder: Path, **given: Any) -> Any:
    asked = {"report": silent, "cancelled": lambda: False, "say": unheard, **given}
    return jobs.do(folder, Resources(), "round 1: generate", **asked)


@pytest.fixture
def jobs() -> Launcher:
    return sample()


def test_a_job_is_done_and_told_of(jobs: Launcher, folder: Path) -> None:
    steps: list[Any] = []
    said: list[str] = []
    answer = done(jobs, folder, report=lambda *step: steps.append(step), say=said.append)
    assert answer == {"answer": 3, "facts": {}}
    lines = (folder / "output" / "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["TEXT 0", "TEXT 1", "TEXT 2"]
    assert (3, 3, "") in steps
    assert said == ["hello"]


@pytest.mark.nightly
def test_its_own_error_comes_back_and_the_next_attempt_is_another_job(
    jobs: Launcher, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path, do="raise")
    with pytest.raises(PluginError, match="ValueError: a wrong shape"):
        done(jobs, folder)
    assert submitted_in(folder) is None


class Queue(Launcher):
    """A launcher in whose queue jobs stay as a test says."""

    name = "sample"

    def __init__(self, *states: Any) -> None:
        super().__init__()
        self.states, self.submitted, self.cancelled = list(states), [""] * 0, [""] * 0
        self.has_one = threading.Event()

    def submit(self, job: Any) -> str:
        if job.name not in self.submitted:
            self.submitted.append(job.name)
        self.folder, self.command = job.folder, job.command
        self.has_one.set()
        return f"id-{job.name}"

    def state(self, id: str) -> Launched:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    def cancel(self, id: str) -> None:
        self.cancelled.append(id)

    def logs(self, id: str) -> str:
        return "slurmstepd: error\nlast words"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "LOOKS", (0.02,))
    monkeypatch.setattr(launcher, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(launcher, "LATE_SECONDS", 0.3)
    monkeypatch.setattr(launcher, "DEAD_SECONDS", 0.1)


def queued(*states: Any) -> tuple[Launcher, Queue]:
    queue = Queue(*states)
    return queue, queue


@pytest.mark.nightly(but_each=2)
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (Launched("failed", "node_fail"), PluginError),
        (Launched("failed", "oom", out_of_memory=True), OutOfMemory),
        (Launched("gone", "cancelled"), EnvironmentFailure),
        (Launched("ended"), PluginError),
    ],
)
def test_a_job_that_ends_without_a_word_is_told_by_its_launcher(
    folder: Path, state: Launched, kind: type[Exception]
) -> None:
    jobs, _ = queued(Launched("waiting", "Resources"), Launched("running"), state)
    with pytest.raises(kind, match="ended without an answer") as caught:
        done(jobs, folder)
    assert "last words" in caught.value.details  # type: ignore[attr-defined]


@pytest.mark.usefixtures("quick")
def test_a_job_whose_time_was_over_is_not_called_dead(folder: Path) -> None:
    jobs, _ = queued(Launched("running"), Launched("failed", "timeout", out_of_time=True))
    with pytest.raises(EnvironmentFailure, match=r"time of the job id-.* was over") as caught:
        done(jobs, folder)
    assert "more hours under execution.resources" in str(caught.value)


@pytest.mark.usefixtures("quick")
def test_a_run_that_starts_again_waits_for_the_same_job(folder: Path) -> None:
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    assert submitted_in(folder)
    again, same = queued(Launched("running"))
    threading.Timer(0.1, lambda: carried(queue)).start()
    assert done(again, folder)["answer"] == 3
    assert same.submitted == []


def carried(queue: Queue) -> None:
    assert queue.has_one.wait(LONG)
    carrier = Carrier()
    carrier.do(queue.folder, queue.command[-1])
    carrier.close()


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_what_was_done_while_nobody_waited_is_taken(folder: Path) -> None:
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    carried(queue)
    again, same = queued(Launched("gone"))
    assert done(again, folder)["answer"] == 3
    assert same.submitted == []


@pytest.mark.usefixtures("quick")
def test_a_run_killed_before_it_knew_the_id_submits_under_the_same_name(folder: Path) -> None:
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    note = submitted_in(folder)
    assert note is not None
    launcher.note_submitted(folder, dataclasses.replace(note, id=""))
    again, same = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(again, folder, cancelled=lambda: True)
    assert same.submitted == queue.submitted


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_another_job_in_the_folder_cancels_the_one_at_work(tmp_path: Path) -> None:
    jobs = sample()
    folder = laid_out(tmp_path, seconds=60)
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    first = submitted_in(folder)
    assert first is not None
    laid_out(tmp_path, seconds=0.0)
    assert done(jobs, folder)["answer"] == 3
    assert jobs.state(first.id).state != "running"


@pytest.mark.nightly(but_each=2)
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("late", [True, False])
def test_files_that_show_late_are_waited_for_by_digest(
    folder: Path, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    carried(queue)
    file = folder / "output" / "predictions.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:10])
    if late:
        monkeypatch.setattr(launcher, "LATE_SECONDS", LONG)
        threading.Timer(0.1, lambda: file.write_bytes(whole)).start()
        assert done(jobs, folder)["answer"] == 3
        return
    with pytest.raises(EnvironmentFailure, match="is not what the job left there"):
        done(jobs, folder)


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_a_launcher_that_does_not_answer_is_asked_again(folder: Path) -> None:
    jobs, queue = queued(EnvironmentFailure("nobody answers"), Launched("running"))
    threading.Timer(0.2, lambda: carried(queue)).start()
    assert done(jobs, folder)["answer"] == 3


@pytest.mark.usefixtures("quick")
def test_a_launcher_that_falls_silent_leaves_its_job_to_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "SILENT_SECONDS", 0.05)
    jobs, queue = queued(EnvironmentFailure("nobody answers"))
    with pytest.raises(EnvironmentFailure, match="nobody answers"):
        done(jobs, folder)
    carried(queue)  # it was at work all the while
    again, same = queued(Launched("running"))
    assert done(again, folder)["answer"] == 3
    assert same.submitted == []


def test_a_job_is_withdrawn_by_its_folder_and_has_ended_then(
    jobs: Launcher, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path, seconds=600)
    over = time.monotonic() + 0.5
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: time.monotonic() > over)
    note = submitted_in(folder)
    assert note is not None
    try:
        withdraw([folder])
        assert submitted_in(folder) is None
        assert jobs.state(note.id).state != "running"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(note.id), signal.SIGKILL)


@pytest.mark.usefixtures("quick")
def test_a_job_that_goes_on_after_it_was_cancelled_is_told_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "END_SECONDS", 0.1)
    jobs, queue = queued(Launched("running"))
    monkeypatch.setattr(launcher, "launcher_of", lambda note: queue)
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    with pytest.raises(EnvironmentFailure, match="was cancelled, and has not ended"):
        withdraw([folder])
    assert len(queue.cancelled) == 1 and submitted_in(folder), "harness jobs goes on to show it"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("all_of_it", [False, True])
@pytest.mark.nightly
def test_a_job_that_is_stopped_from_outside_fails_and_stops_no_run(
    jobs: Launcher, tmp_path: Path, all_of_it: bool
) -> None:
    """scancel sends SIGTERM to all processes of a job."""
    folder = laid_out(tmp_path, seconds=600)

    def stop() -> None:
        while (note := submitted_in(folder)) is None or not note.id:
            time.sleep(0.05)
        while not any(node.messages_file(folder, note.name).read_bytes().split()):
            time.sleep(0.05)
        first = psutil.Process(int(note.id))
        while not (below := first.children(recursive=True)):
            time.sleep(0.05)
        for process in [first, *below][: None if all_of_it else 1]:
            process.send_signal(signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(EnvironmentFailure, match="was stopped from outside"):
        done(jobs, folder)
    assert submitted_in(folder) is None
    laid_out(tmp_path, seconds=0.0)
    assert done(jobs, folder)["answer"] == 3


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_what_was_stopped_while_nobody_waited_is_submitted_anew(folder: Path) -> None:
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    carrier = Carrier()
    carrier.do(queue.folder, queue.command[-1], lambda: True)
    carrier.close()
    again, same = queued(Launched("gone"), Launched("running"))
    threading.Timer(0.2, lambda: carried(same)).start()
    assert done(again, folder)["answer"] == 3
    assert len(same.submitted) == 1


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_a_job_that_is_begun_again_finds_nothing_half_done_and_redoes_nothing_done(
    folder: Path,
) -> None:
    """As a queue does whose node has failed: the same command, in the same folder."""
    jobs, queue = queued(Launched("running"))
    with pytest.raises(Cancelled):
        done(jobs, folder, cancelled=lambda: True)
    (folder / "output" / "half").write_text("of an answer")
    carried(queue)
    file = folder / "output" / "predictions.jsonl"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    before = file.stat().st_ino
    carried(queue)
    assert file.stat().st_ino == before
    assert done(queued(Launched("running"))[0], folder)["answer"] == 3
