"""Does launched jobs where they were launched; what a job says is read in a file of its folder.

``python -m harness_launchers FOLDER NAME`` does one in a fork of itself, and ends. A launcher
whose processes stay keeps a :class:`Carrier` in each of them, whose worker has loaded what jobs
share.

A line of the file is a message of JSON: ``["at", host]``, ``["step", done, total, what]``,
``["say", sentence]``, and at the end ``["done", {"failure": …, "left": …}]``.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import digest, manifest_of, read_json, remove
from harness.kit.inside import inside

DESCRIPTION, OUTPUT, RESULT = "job.json", "output", "result.json"
"""Of a job's folder: what is asked, which files the job leaves, and its answer."""
SECONDS = 0.2
"""Between two steps that are told."""


def messages_file(folder: Path, name: str) -> Path:
    """Where what a job says is read; there before it is submitted, so that no machine remembers
    that it is missing."""
    return inside(folder, f"told-{name}.jsonl")


def command_of(folder: Path, name: str) -> tuple[str, ...]:
    """The command that does the job in ``folder``, launched under a name."""
    return sys.executable, "-P", "-m", "harness_launchers", str(folder), name


Do = Callable[[Path, harness.Report, Callable[[], bool], Callable[[str], None]], Any]
"""Does the job in a folder, as :func:`harness.fork_job` does."""


class Carrier:
    """Does jobs one at a time, each in a fork of its worker."""

    def __init__(self) -> None:
        self._worker = harness.Worker()

    def close(self) -> None:
        """End the worker with the job at work."""
        self._worker.close()

    def do(self, folder: Path, name: str, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Do the job in ``folder``; whether it did not fail.

        Args:
            name: under which it was launched.
            stopped: whether it is to stop in order.
        """
        return carried_out(folder, name, stopped, self._worker.do)


def carried_out(folder: Path, name: str, stopped: Callable[[], bool], do: Do) -> bool:
    """Do the launched job in ``folder``, and tell of it there; whether it did not fail."""
    path = messages_file(folder, name)
    past = [message for message in next(messages(path)) if message[0] == "done"]
    if past and not was_stopped(past[-1]):
        return past[-1][1]["failure"] is None  # it is begun again after its end
    lines = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    last = 0.0
    for left_half in (folder / OUTPUT, folder / RESULT):  # by a node that failed
        remove(left_half)
    (folder / OUTPUT).mkdir()

    def send(*message: Any) -> None:
        # What a process that was killed has left half written ends where this begins.
        data = b"\n" + json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(lines, data) :]

    def report(done: int, total: int, what: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= SECONDS or done == total:
            last = now
            send("step", done, total, what)

    def say(sentence: str) -> None:
        send("say", sentence)

    failure: dict[str, Any] | None = None
    left: dict[str, Any] = {}
    try:
        send("at", socket.gethostname())
        do(folder, report, stopped, say)
        left = left_by(folder)
    except BaseException as error:
        died = isinstance(error, (harness.JobDied, harness.JobKilled))
        failure = harness.described(harness.Cancelled() if died and stopped() else error)
    try:
        send("done", {"failure": failure, "left": left})
    finally:
        os.close(lines)
    return failure is None


def left_by(folder: Path) -> dict[str, Any]:
    """What a job has left, by digest: a listing of a shared folder may lack files for a while."""
    output = folder / OUTPUT
    files = manifest_of(output) if output.is_dir() else {}
    return {"result": digest(read_json(folder / RESULT)), "files": files}


def messages(path: Path) -> Iterator[list[Any]]:
    """What a job says of itself, again and again: all that is new since it was asked last."""
    begin, pending = 0, b""
    while True:
        try:
            with path.open("rb") as stream:  # opened anew: only then another machine's lines show
                stream.seek(begin)
                data = stream.read()
        except OSError:
            data = b""
        begin += len(data)
        *lines, pending = (pending + data).split(b"\n")
        yield [message for message in map(_message, lines) if message is not None]


def _message(line: bytes) -> list[Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match message:
        case ["at" | "say", str()] | ["step", int(), int(), str()]:
            return list(message)
        case ["done", {"failure": None | {"kind": str()}, "left": dict()}]:
            return list(message)
    return None


def was_stopped(done: list[Any]) -> bool:
    """Whether a job says at its end that it was told to stop."""
    failure = done[1]["failure"]
    return failure is not None and failure["kind"] == harness.Cancelled.__name__
