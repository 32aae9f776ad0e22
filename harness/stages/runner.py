"""The kind of plugin that says where jobs run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.errors import PluginError
from harness.kit.text import given
from harness.records.context import Report, silent, unheard
from harness.stages.base import Plugin

RESULT = "result.json"
"""What a job leaves in its folder at its end, unless it fails."""
SUBMITTED = "submitted.json"
"""In the folder of a job that goes on there without its run: nothing of the folder is changed while
it is there, but by the runner that wrote it."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What one job needs; 0 is whatever the runner gives.

    Attributes:
        memory: MiB.
        hours: after which it may be ended.
    """

    gpus: int = 0
    cpus: int = 0
    memory: int = 0
    hours: float = 0.0


class Runner(Plugin):
    """Has jobs done: the trainings, answers and losses of a run. Several threads call it at once.

    A job is a folder with a description and rows. :func:`harness.do_job` does it in the thread that
    calls, a :class:`harness.Worker` in a process that stays for the next one, and
    :func:`harness.fork_job` in a fork of a process that does nothing but jobs: what that prints
    goes to the log of the job. All leave the same in the folder.

    Attributes:
        elsewhere: whether jobs load other machines than the run's own.
    """

    stage = "runner"
    elsewhere: ClassVar[bool] = False

    def do(
        self,
        folder: Path,
        resources: Resources,
        label: str,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        """Have the job in ``folder`` done, and wait for it; gives what stands in its
        ``result.json``.

        Args:
            resources: what it needs, as the config says.
            label: what people call it.
            report: is told of its steps.
            cancelled: whether it is to stop; it then ends with :class:`harness.Cancelled`.
            say: is told what the person at the terminal should read.

        Raises:
            harness.Cancelled: it was asked to stop.
            harness.JobDied, harness.JobKilled: it ended without an answer, and is begun again.
            harness.HarnessError: as the job raised it.
        """
        raise NotImplementedError

    def load(self, folder: Path) -> None:
        """Load ahead what the job in ``folder`` needs, and go on meanwhile. Optional."""

    def interrupted(self, run: str, ask: Callable[[str], str], say: Callable[[str], None]) -> None:
        """The user has stopped the run; for a runner whose jobs go on without it. Optional.

        Args:
            run: its name.
            ask: puts a question at the terminal and gives the answer; empty if nobody is there.
        """

    def close(self) -> None:
        """The run's process ends. Optional."""

    def exercise(self, job: Path) -> Any:
        """Have a job without work done, for the conformance kit; gives what came of it.

        For a family of runners with rules of its own. Not called in a run.

        Raises:
            harness.PluginError: one of these rules is broken.
        """
        result = self.do(job, Resources(), "a job without work", silent, lambda: False, unheard)
        if not isinstance(result, dict) or not (job / RESULT).is_file():
            raise PluginError(
                f"do() gives {given(result)}, where what stands in {RESULT} of the job is due"
            )
        return result


def exercise_runner(runner: Runner, job: Path) -> Any:
    """Have two jobs without work done at once, as in a run.

    Raises:
        PluginError: an answer is not what is due, or a job took the output of this process.
    """
    beside = Path(shutil.copytree(job, job.with_name(f"{job.name}-2")))
    saved = {number: os.dup(number) for number in (1, 2)}
    try:
        with ThreadPoolExecutor() as threads:
            ends = [threads.submit(runner.exercise, folder) for folder in (job, beside)]
        if not all(_same_file(number, copy) for number, copy in saved.items()):
            raise PluginError("a job took the output of the process that asked for it")
        result, _ = (end.result() for end in ends)
        return result
    finally:
        runner.close()
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)


def _same_file(number: int, copy: int) -> bool:
    try:
        return os.path.sameopenfile(number, copy)
    except OSError:  # it was closed
        return False
