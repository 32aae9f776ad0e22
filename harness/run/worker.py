"""The run's end of its worker: jobs are handed over, and what they say is passed on.

The worker (``worker_process.py``) starts when there is something to load or to do, and stays for
the next jobs. A job that dies takes nothing along but itself. A worker that dies takes its job
along, and the next job gets another worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Cancelled, EnvironmentFailure, JobDied, JobKilled
from harness.errors.machine import trouble_in
from harness.kit import gate
from harness.kit.files import read_json
from harness.kit.inside import not_a_link
from harness.kit.processes import end, end_group
from harness.records.context import Report, unheard
from harness.run import channel
from harness.run.channel import LOAD, STOP
from harness.run.job import ERROR, LOG
from harness.stages.runner import RESULT

POLL_SECONDS = 0.2
WAITING = {"GOMP_SPINCOUNT": "1000"}
"""How threads of libgomp, which PyTorch brings on Linux, wait for each other: for some microseconds
in a loop, then asleep. By default they hold a core for milliseconds, for which a thread that has
lost its core to another program waits in turn."""
DEVICES = "CUDA_VISIBLE_DEVICES"
_OF_THE_USER = ("OMP_WAIT_POLICY", *WAITING)


class Worker:
    """Does jobs one at a time, each in a fork of a process that has loaded what they share. As a
    context manager it leaves nothing behind.

    Args:
        devices: numbers of the GPUs that its jobs see; None: all that this process sees.
    """

    def __init__(self, devices: str | None = None) -> None:
        self._devices = devices
        self._process: _Process | None = None
        self._jobs = 0
        self._turn = threading.Lock()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker with the job at work, processes that it started included."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def load(self, folder: Path) -> None:
        """Let the worker load what the plugins of a job in ``folder`` load ahead, and go on here.

        What goes wrong with it stays unsaid: the job itself will meet it.
        """
        if self._process is None:
            self._process = _Process(folder / LOG, self._devices)
        self._process.tell(LOAD, folder)

    def do(
        self,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None] = unheard,
    ) -> Any:
        """Have the job in ``folder`` done, and wait for it; returns its ``result.json``.

        Raises:
            Cancelled: it was asked to stop and did.
            HarnessError: as the job raised it; JobDied or JobKilled where it just died.
        """
        while not self._turn.acquire(timeout=0.2):  # another thread's job is at work
            if cancelled():
                raise Cancelled
        try:
            return self._done(folder, report, cancelled, say)
        finally:
            self._turn.release()

    def _done(
        self,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        self._jobs += 1
        there = self._process is not None
        process = self._process = self._process or _Process(folder / LOG, self._devices)
        process.tell(self._jobs, folder)
        try:
            with _asking_to_stop(process, cancelled):
                code, failure, goes_on = process.followed(self._jobs, report, say)
        except BaseException:
            self.close()
            raise
        if not goes_on:
            self.close()
        if there and not process.begun:  # it has died since its last job
            return self._done(folder, report, cancelled, say)
        return outcome(folder, code, failure)


def environment(of_user: Mapping[str, str]) -> dict[str, str]:
    """That of a worker; what the user says of waiting threads stands."""
    own = {} if any(name in of_user for name in _OF_THE_USER) else WAITING
    return {**of_user, **own}


class _Process:
    """One process of a worker."""

    def __init__(self, log: Path, devices: str | None) -> None:
        seen = {} if devices is None else {DEVICES: devices}
        with open(log, "wb", opener=not_a_link) as stream:
            self.popen = gate.start_ours(
                "harness.run.worker_process",
                stdin=gate.PIPE,
                stdout=gate.PIPE,
                stderr=stream,
                start_new_session=True,
                env={**environment(os.environ), **seen},
            )
        self._groups = [self.popen.pid]
        self.begun = False
        # For whoever drops a run, or ends the interpreter, without closing its worker.
        self.end = weakref.finalize(self, _end, self.popen, self._groups)

    def tell(self, number: int, folder: Path) -> None:
        """Hand a job over; if it is dead, that is seen by who follows it."""
        self._write(json.dumps([number, str(folder.absolute())]).encode())
        self.begun = False

    def ask_to_stop(self) -> None:
        """Ask the job at work to stop."""
        self._write(STOP)

    def _write(self, line: bytes) -> None:
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.write(line + b"\n")
            self.popen.stdin.flush()

    def followed(
        self, number: int, report: Report, say: Callable[[str], None]
    ) -> tuple[int, dict[str, Any] | None, bool]:
        """Pass on what a job says until it ends.

        Returns:
            Its exit code (negative: a signal), the failure that it told of, and whether the worker
            can do another job.
        """
        assert self.popen.stdout is not None
        failure = None
        for message in channel.heard(
            self.popen.stdout.fileno(), number, self._has_ended, POLL_SECONDS
        ):
            match message:
                case ["step", done, total, what]:
                    report(done, total, what)
                case ["say", sentence]:
                    say(sentence)
                case ["failure", description]:
                    failure = description
                case ["began", job]:  # by the number of its process group
                    self._groups[1:], self.begun = [job], True
                case ["ended", code, goes_on]:
                    del self._groups[1:]
                    return code, failure, goes_on
        return self.popen.wait(), failure, False

    def _has_ended(self) -> bool:
        return self.popen.poll() is not None


def _end(process: gate.Popen[bytes], groups: list[int]) -> None:
    """Leave nothing of a worker behind: its process group, and that of the job at work."""
    for group in groups[1:]:
        end_group(group)
    end(process)


def outcome(folder: Path, code: int, failure: dict[str, Any] | None) -> Any:
    """What a job whose process has ended has left in ``folder``.

    Args:
        code: with which it ended; negative: by a signal.
        failure: as it told of it.

    Raises:
        HarnessError: as the job raised it; JobDied or JobKilled where it just died.
    """
    if failure is None and (folder / ERROR).exists():
        failure = read_json(folder / ERROR)
    if failure is not None:
        raise channel.raised(failure)
    if code == 0 and (folder / RESULT).exists():
        return read_json(folder / RESULT)
    tail = (folder / LOG).read_text("utf-8", "replace").strip().splitlines()[-5:]
    if code == -signal.SIGKILL:
        raise JobKilled(
            "the job's process was killed (signal 9), which mostly means that memory ran out",
            details=tail,
            hint="close other programs, or ask for less at once; finished work is saved",
        )
    if tail and (trouble := trouble_in(tail[-1])):
        raise EnvironmentFailure(f"the job's process ended: {trouble}", details=tail)
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    raise JobDied(f"the job's process ended without an answer ({reason})", details=tail)


class _asking_to_stop:
    """While a job is at work, pass a cancellation on to it."""

    def __init__(self, process: _Process, cancelled: Callable[[], bool]) -> None:
        self.process, self.cancelled = process, cancelled
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(0.1):
            if self.cancelled():
                self.process.ask_to_stop()
                return
