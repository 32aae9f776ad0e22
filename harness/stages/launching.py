"""The stage that says where jobs run: launcher."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.boundary.results import returned
from harness.errors import PluginError
from harness.kit.text import given
from harness.stages.base import Plugin

RESULT = "result.json"
"""What a job leaves in its folder at its end, unless it fails."""

JobState = Literal["waiting", "running", "ended", "failed", "gone"]
"""``ended``: with exit code 0; ``gone``: cancelled, or unknown to the launcher."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What one job needs; 0 is whatever the launcher gives.

    Attributes:
        memory: MiB.
        hours: after which it may be ended.
    """

    gpus: int = 0
    cpus: int = 0
    memory: int = 0
    hours: float = 0.0


@dataclass(frozen=True, slots=True)
class LaunchedJob:
    """A job to be run: a folder that says what to do, and the command that does it.

    Attributes:
        name: no other job has it; letters, digits and ``-``.
        folder: with all that the job needs and leaves; each machine that runs jobs sees it.
        command: does the job. It ends by itself, asks for nothing, and stops in order at SIGTERM.
            ``Carrier().do(folder, name)`` is the same within a process that stays for the next job
            (:class:`harness.Carrier`).
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    resources: Resources = Resources()


@dataclass(frozen=True, slots=True)
class Launched:
    """How a job is.

    Attributes:
        said: where it runs, why it waits or why it ended, in a few words of the launcher.
        out_of_memory: whether it was ended because it took too much.
        out_of_time: whether it was ended because its time was over.
    """

    state: JobState
    said: str = ""
    out_of_memory: bool = False
    out_of_time: bool = False


class Launcher(Plugin):
    """Has jobs run: submits, looks, cancels. What they leave stands in their folders.

    It keeps nothing in memory that matters: another process, with the same options, has to find a
    job by its id. Several threads call it, one at a time.
    """

    stage = "launcher"

    def submit(self, job: LaunchedJob) -> str:
        """Have it run; gives its id, one line. A job of that name that has not ended is the same
        one: its id is given again, and nothing is submitted.

        Raises:
            harness.errors.EnvironmentFailure: it cannot be submitted from here.
        """
        raise NotImplementedError

    def state(self, id: str) -> Launched:
        """How it is now; ``gone`` for an id that is not known any more.

        Raises:
            harness.errors.EnvironmentFailure: nobody answers; it is asked again later.
        """
        raise NotImplementedError

    def cancel(self, id: str) -> None:
        """End it; nothing happens where it has ended."""
        raise NotImplementedError

    def logs(self, id: str) -> str:
        """What the launcher itself wrote of it, such as why it never began. Optional."""
        return ""

    def close(self) -> None:
        """The run's process ends. Jobs go on, unless they run in something that it started."""


def submitted(launcher: Launcher, job: LaunchedJob) -> str:
    """The id of a job that was handed over."""
    name = returned(Launcher.submit, launcher.submit(job))
    if not name or len(name.splitlines()) > 1 or len(name) > 200:
        raise PluginError(f"submit() gives {given(name)}, where an id of one line is due")
    return name


def state_of(launcher: Launcher, name: str) -> Launched:
    """How a job is."""
    return returned(Launcher.state, launcher.state(name))


WAITS = 120.0
"""Seconds for which a launcher that is tried out may let its job wait."""


def exercise_launcher(launcher: Launcher, job: LaunchedJob) -> str:
    """Submit a job twice under one name, look at it to its end, and cancel it then."""
    try:
        name = submitted(launcher, job)
        if (again := submitted(launcher, job)) != name:
            raise PluginError(f"submit() gives one job two ids: {given(name)} and {given(again)}")
        over = time.monotonic() + WAITS
        while (how := state_of(launcher, name)).state in ("waiting", "running"):
            if time.monotonic() > over:
                launcher.cancel(name)
                raise PluginError(f"a job without work has not ended after {WAITS:.0f} s")
            time.sleep(0.2)
        if how.state not in ("ended", "gone"):
            raise PluginError(f"a job without work is '{how.state}' ({how.said})")
        if not (job.folder / RESULT).is_file():
            raise PluginError(f"a job that was submitted and is '{how.state}' was never done")
        launcher.cancel(name)
        launcher.logs(name)
        if state_of(launcher, "0").state != "gone":
            raise PluginError("state() of an id that nobody has is something else than 'gone'")
    finally:
        launcher.close()
    return name
