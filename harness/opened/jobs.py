"""The jobs of a folder's runs that are at work or wait, as another terminal sees them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.boundary.calls import plainly
from harness.errors import HarnessError
from harness.kit.files import read_json
from harness.run import at_work, carrying, launched, scratch
from harness.run.places import MACHINE_FOLDER
from harness.stages.launching import state_of


@dataclass(frozen=True, slots=True)
class JobAtWork:
    """A job.

    Attributes:
        folder: in which it works.
        run: name of its run; of a branch, too.
        label: what it does.
        launcher: ``local``, or the plugin that launched it.
        id: of the launcher, empty until it has one; of a local one the process of its run.
        state: ``waiting``, ``running``, or what the launcher says at the end; empty: it was not
            asked, or does not answer.
        said: where it runs, or why it waits.
        seconds: since it was begun or submitted.
        done, total, step: how far it is; ``total`` 0: not known.
        left: seconds that are left at its present pace; None where that is not steady, or nobody
            waits for it.
        attended: whether a run's process waits for it.
    """

    folder: Path
    run: str
    label: str
    launcher: str
    id: str
    state: str
    said: str
    seconds: float
    done: int
    total: int
    step: str
    left: float | None
    attended: bool


def jobs_at_work(root: Path | None = None) -> list[JobAtWork]:
    """All jobs of a folder's runs, the longest at work first; asks launchers of theirs."""
    work = (root or Path.cwd()) / MACHINE_FOLDER / "work"
    marks = {at_work.FILE, scratch.SUBMITTED}
    # A walk passes over folders that go meanwhile, a glob does not.
    folders = [Path(top) for top, _, names in os.walk(work) if marks & set(names)]
    jobs = [job for folder in folders if (job := _job(folder, work)) is not None]
    return sorted(jobs, key=lambda job: -job.seconds)


def cancel_jobs(jobs: Sequence[JobAtWork]) -> None:
    """Cancel jobs that launchers run, and wait for their ends; what they have kept in their scratch
    stays.

    Raises:
        EnvironmentFailure: one does not end.
        HarnessError: a launcher cannot be asked.
    """
    launched.withdraw([job.folder for job in jobs])


def _job(folder: Path, work: Path) -> JobAtWork | None:
    try:
        noted = read_json(folder / at_work.FILE)
        here = noted["host"] == socket.gethostname()
        attended = not here or psutil.pid_exists(int(noted["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        noted, attended = {}, False
    note = launched.submitted_in(folder)
    if note is None and not attended:
        return None
    done, total, step = _step(noted)
    if note is not None:
        plugin, name, label, began = note.plugin, note.id, note.label, note.at
        state, said = _asked(folder, note)
        if attended and state not in ("waiting", "running"):
            state = "running"  # whoever waits for it knows better than we can ask
        for message in next(carrying.messages(carrying.messages_file(folder, note.name))):
            if message[0] == "step":
                done, total, step = message[1:]
            elif message[0] == "at":
                said = said or str(message[1])
    else:
        plugin, label, began = str(noted["launcher"]), str(noted["label"]), float(noted["began"])
        if plugin == "local":
            name, state, said = str(noted["pid"]), "running", str(noted["host"])
        else:
            name, state, said = "", "waiting", "to be submitted"
    now, remaining = time.time(), noted.get("left") if attended else None
    seconds = max(0.0, now - began)
    if remaining is not None:
        remaining = max(0.0, float(remaining) - (now - float(noted["stepped"])))
    run = folder.parent.relative_to(work).parts[0].removesuffix(".arms")
    return JobAtWork(
        folder, run, label, plugin, name, state, said, seconds, done, total, step, remaining,
        attended,
    )  # fmt: skip


def _step(noted: dict[str, Any]) -> tuple[int, int, str]:
    match noted.get("step"):
        case [int(done), int(total), str(step)]:
            return done, total, step
    return 0, 0, ""


def _asked(folder: Path, note: launched.Submitted) -> tuple[str, str]:
    if not launched.is_ours(folder, note):
        return "", "not asked: it was not submitted here (--trust asks)"
    try:
        with plainly(f"launcher '{note.plugin}'"):
            state = state_of(launched.launcher_of(note), note.id)
    except HarnessError as error:
        return "", error.what
    return state.state, state.said
