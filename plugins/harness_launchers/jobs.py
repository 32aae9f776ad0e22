"""The jobs of a folder's runs that are at work or wait, as another terminal sees them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness_launchers import node
from harness_launchers.launcher import (
    AT_WORK,
    Submitted,
    is_ours,
    launcher_of,
    run_of,
    state_of,
    submitted_below,
    submitted_in,
    withdraw,
)


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
    root = root or Path.cwd()
    attended = harness.attended_jobs(root)
    jobs = []
    for folder in {*attended, *(folder for folder, _ in submitted_below(root))}:
        run = run_of(folder, root)
        if (note := submitted_in(folder)) is not None:
            jobs.append(_launched(folder, run, note, attended.get(folder)))
        elif folder in attended:
            jobs.append(_attended(folder, run, attended[folder]))
    return sorted(jobs, key=lambda job: -job.seconds)


def cancel_jobs(jobs: Sequence[JobAtWork]) -> None:
    """Cancel jobs that launchers run, and wait for their ends; what they have kept in their scratch
    stays.

    Raises:
        EnvironmentFailure: one does not end.
        HarnessError: a launcher cannot be asked.
    """
    withdraw([job.folder for job in jobs])


def _launched(
    folder: Path, run: str, note: Submitted, attended: harness.AttendedJob | None
) -> JobAtWork:
    state, said = _asked(folder, note)
    if attended and state not in AT_WORK:
        state = "running"  # whoever waits for it knows better than we can ask
    done, total, step = attended.step if attended else (0, 0, "")
    for message in next(node.messages(node.messages_file(folder, note.name))):
        match message:
            case ["step", done, total, step]:
                pass
            case ["at", host]:
                said = said or host
    return JobAtWork(
        folder, run, note.label, note.plugin, note.id, state, said, max(0.0, time.time() - note.at),
        done, total, step, attended.left if attended else None, attended is not None,
    )  # fmt: skip


def _attended(folder: Path, run: str, job: harness.AttendedJob) -> JobAtWork:
    local = job.runner == "local"
    name, state, said = (
        (str(job.process), "running", job.host) if local else ("", "waiting", "to be submitted")
    )
    return JobAtWork(
        folder, run, job.label, job.runner, name, state, said, max(0.0, time.time() - job.began),
        *job.step, job.left, True,
    )  # fmt: skip


def _asked(folder: Path, note: Submitted) -> tuple[str, str]:
    if not is_ours(folder, note):
        return "", "not asked: it was not submitted here (--trust asks)"
    try:
        state = state_of(launcher_of(note), note.id)
    except harness.HarnessError as error:
        return "", error.what
    return state.state, state.said
