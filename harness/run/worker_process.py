"""The worker's own process: it loads what jobs share, and does each job in a fork of itself.

``python -m harness.run.worker_process`` reads what it is told (``channel.py``) on its standard
input. What plugins load ahead (:meth:`harness.Plugin.preload`) every job finds in memory; whatever
a job changes, breaks or leaves behind is gone with its own process, so that the next one begins
from the same state as the first. When the run's process dies, the input ends, and the worker with
the job at work ends at once.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import select
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any, NoReturn

from harness.kit.files import read_json, write_json
from harness.run import channel, job
from harness.run.channel import LOAD, STOP

log = logging.getLogger(__name__)

FORKS = sys.platform == "linux"
"""Elsewhere the system's own libraries do not survive a fork: a worker does one job and ends."""

INPUT = 0


class Worker:
    """Does jobs until its input ends.

    Args:
        messages: descriptor on which it tells of them.
    """

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.sound = True
        self.ended, self._wakes = os.pipe()
        for end in (self.ended, self._wakes):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """The worker's whole life."""
        # Without a handler of its own SIGCHLD would not wake anybody.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)
        while self.sound and (line := _line()):
            if line == STOP:  # that came too late
                continue
            number, folder = json.loads(line)
            _log_to(Path(folder) / job.LOG)
            if number == LOAD:
                self._load(Path(folder))
            else:
                self._do(number, Path(folder))
            _log_to(Path(os.devnull))

    def _load(self, folder: Path) -> None:
        """Have the job's plugins load ahead.

        Where they cannot, half of it may be there: the job at hand loads for itself, and will say
        why it cannot either, and the next one gets another worker.

        It happens in a thread: pools of threads that a library starts (OpenMP's, say) belong to
        the thread that needed them first, and a fork has only the thread that forks.
        """

        def load() -> None:
            try:
                job.preload(read_json(folder / job.DESCRIPTION))
            except BaseException:
                log.exception("loading ahead failed; the job loads for itself")
                self.sound = False

        if FORKS:
            thread = threading.Thread(target=load)
            thread.start()
            thread.join()

    def _do(self, number: int, folder: Path) -> None:
        """Do a job."""
        if not FORKS:
            channel.send(self.messages, number, "began", os.getpid())
            _perform(number, folder, self.messages)
        self._load(folder)
        stops, asks = os.pipe()
        _flush()
        gc.freeze()  # or the job's collector would copy every page that holds an object
        with warnings.catch_warnings():
            # Python 3.12 warns of threads. Those of libraries know of forks, ours are over.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if not process:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, _go_on)
            os.dup2(stops, INPUT)
            for end in (stops, asks, self.ended, self._wakes):
                os.close(end)
            _perform(number, folder, self.messages)
        with contextlib.suppress(OSError):  # it is over already
            os.setpgid(process, process)  # both do it: it is so before anything else happens
        os.close(stops)
        channel.send(self.messages, number, "began", process)
        code = self._watched(process, asks)
        _kill(process)
        os.close(asks)
        channel.send(self.messages, number, "ended", code, self.sound)

    def _watched(self, process: int, asks: int) -> int:
        """Pass a wish to stop on to the job until it ends; returns how it did."""
        while True:
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            readable, _, _ = select.select([INPUT, self.ended], [], [])
            if self.ended in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.ended, 4096)
            if INPUT in readable:
                line = _line()
                if not line:  # the run's process is dead
                    _kill(process)
                    os._exit(1)
                with contextlib.suppress(OSError):
                    os.write(asks, line + b"\n")


def _line() -> bytes:
    """The next line of the input, empty at its end; reads no byte of what follows."""
    line = bytearray()
    while (byte := os.read(INPUT, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def _log_to(path: Path) -> None:
    """Whatever is printed from now on goes to this file."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _kill(process: int) -> None:
    """End the job's process, and whatever it has left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _perform(number: int, folder: Path, messages: int) -> NoReturn:
    """Do the job in this process, which ends with it."""
    stop = threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()

    def report(done: int, total: int, what: str) -> None:
        channel.send(messages, number, "step", int(done), int(total), str(what))

    def say(sentence: str) -> None:
        channel.send(messages, number, "say", str(sentence))

    process = os.getpid()
    failure: dict[str, Any] | None = None
    try:
        job.perform(folder, report, stop.is_set, say)
    except BaseException as error:
        failure = channel.described(error)
    job.only_in(process)
    if failure is not None:
        # By the channel, which needs no disk; in a file where the plugin has closed it.
        try:
            channel.send(messages, number, "failure", failure)
        except OSError:
            write_json(folder / job.ERROR, failure)
    _flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(0)


def _listen(stop: threading.Event) -> None:
    """Hear of a wish to stop; at the input's end nobody waits for this process any more."""
    with contextlib.suppress(OSError):  # the plugin has closed it
        while line := _line():
            if line == STOP:
                stop.set()
        os.killpg(0, signal.SIGKILL)


def _go_on(*_: object) -> None:
    """Whoever ends a job of SLURM sends SIGTERM to all of its processes: only the first one asks
    the worker to stop, in order."""


def _end_at_sigterm() -> None:
    """In a process that a plugin has forked, which it may end so; programs have no handler."""
    if signal.getsignal(signal.SIGTERM) is _go_on:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main() -> NoReturn:
    """Begin: messages go where standard output was, and what libraries print to the log."""
    messages = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, _go_on)
    os.register_at_fork(after_in_child=_end_at_sigterm)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    code = 0
    try:
        Worker(messages).serve()
    except BaseException:
        log.exception("the worker failed")
        code = 1
    _flush()
    os._exit(code)


if __name__ == "__main__":
    main()
