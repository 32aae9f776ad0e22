"""A job in a fork of a process that has loaded what jobs share.

Whatever a job changes, breaks or leaves behind is gone with its own process, and the next one
begins from the same state as the first. Where the process that has forked it dies, the job ends at
once.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.kit.files import read_json, write_json
from harness.kit.processes import end_group
from harness.records.context import Report, unheard
from harness.run import channel, job
from harness.run.channel import STOP
from harness.run.worker import Worker, environment, outcome

log = logging.getLogger(__name__)
FORKS = sys.platform == "linux"
"""Elsewhere the system's own libraries do not survive a fork."""
INPUT = 0
"""Descriptor on which a job hears of a wish to stop."""
POLL_SECONDS = 0.05
"""Between two looks at whether a job has ended, or is to stop."""


def fork_job(
    folder: Path,
    report: Report,
    cancelled: Callable[[], bool],
    say: Callable[[str], None] = unheard,
) -> Any:
    """Do the job in ``folder`` in a fork of this process, which does nothing else meanwhile.

    What is printed goes to the job's ``log.txt`` from then on. Where forks are not safe it is done
    in another process. The arguments are those of :meth:`harness.Runner.do`.

    Returns:
        its ``result.json``.

    Raises:
        Cancelled: it was asked to stop and did.
        HarnessError: as the job raised it; JobDied or JobKilled where it just died.
    """
    if not FORKS:
        with Worker() as worker:
            return worker.do(folder, report, cancelled, say)
    os.environ.update(environment(os.environ))
    prepare()
    log_to(folder / job.LOG)
    load_ahead(folder)
    heard, messages = os.pipe()
    process, asks = fork(1, folder, messages, (heard,))
    failure: dict[str, Any] | None = None
    status: int | None = None
    asked = False

    def ended() -> bool:
        nonlocal status, asked
        if not asked and cancelled():
            asked = True
            with contextlib.suppress(OSError):
                os.write(asks, STOP + b"\n")
        done, how = os.waitpid(process, os.WNOHANG)
        status = how if done else None
        return bool(done)

    try:
        for message in channel.heard(heard, 1, ended, POLL_SECONDS):
            match message:
                case ["step", done, total, what]:
                    report(done, total, what)
                case ["say", sentence]:
                    say(sentence)
                case ["failure", description]:
                    failure = description
    finally:
        end_group(process)
        if status is None:
            os.waitpid(process, 0)
        for descriptor in (heard, messages, asks):
            os.close(descriptor)
    return outcome(folder, os.waitstatus_to_exitcode(status or 0), failure)


def load_ahead(folder: Path) -> bool:
    """Have the plugins of the job in ``folder`` load ahead; whether they could.

    Where they cannot, half of it may be there: the job at hand loads for itself, and will say why
    it cannot either.

    It happens in a thread: pools of threads that a library starts (OpenMP's, say) belong to the
    thread that needed them first, and a fork has only the thread that forks.
    """
    failed = threading.Event()

    def load() -> None:
        try:
            job.preload(read_json(folder / job.DESCRIPTION))
        except BaseException:
            log.exception("loading ahead failed; the job loads for itself")
            failed.set()

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    return not failed.is_set()


def fork(number: int, folder: Path, messages: int, closing: Sequence[int] = ()) -> tuple[int, int]:
    """Do a job in a fork, which is the first of a process group of its own.

    Args:
        messages: descriptor on which the job tells of itself (``channel.py``).
        closing: descriptors of this process that the job does not need.

    Returns:
        Its number, and the descriptor on which it hears of a wish to stop.
    """
    stops, asks = os.pipe()
    flush()
    gc.freeze()  # or the job's collector would copy every page that holds an object
    with warnings.catch_warnings():
        # Python 3.12 warns of threads. Those of libraries know of forks, ours are over.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if not process:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, go_on)
        os.dup2(stops, INPUT)
        for descriptor in (stops, asks, *closing):
            os.close(descriptor)
        perform(number, folder, messages)
    with contextlib.suppress(OSError):  # it is over already
        os.setpgid(process, process)  # both do it: it is so before anything else happens
    os.close(stops)
    return process, asks


def perform(number: int, folder: Path, messages: int) -> NoReturn:
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
        job.do_job(folder, report, stop.is_set, say)
    except BaseException as error:
        failure = channel.described(error)
    job.only_in(process)
    if failure is not None:
        # By the channel, which needs no disk; in a file where the plugin has closed it.
        try:
            channel.send(messages, number, "failure", failure)
        except OSError:
            write_json(folder / job.ERROR, failure)
    flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(0)


def _listen(stop: threading.Event) -> None:
    """Hear of a wish to stop; at the input's end nobody waits for this process any more."""
    with contextlib.suppress(OSError):  # the plugin has closed it
        while line := next_line():
            if line == STOP:
                stop.set()
        os.killpg(0, signal.SIGKILL)


def next_line() -> bytes:
    """The next line of the input, empty at its end; reads no byte of what follows."""
    line = bytearray()
    while (byte := os.read(INPUT, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def log_to(path: Path) -> None:
    """Whatever is printed from now on goes to this file."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def flush() -> None:
    """Write what was printed: a fork would write it once more."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def prepare() -> None:
    """Make this process one that forks jobs."""
    os.register_at_fork(after_in_child=_end_at_sigterm)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)


def go_on(*_: object) -> None:
    """Whoever ends a job of SLURM sends SIGTERM to all of its processes: only the first one asks
    the job to stop, in order."""


def _end_at_sigterm() -> None:
    """In a process that a plugin has forked, which it may end so; programs have no handler."""
    if signal.getsignal(signal.SIGTERM) is go_on:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
