"""Looks that may fail, crash or hang: each in a process of its own, all at once, with a deadline.

A probe is a module of :mod:`harness_doctor.probes` that prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import harness
from harness.kit.text import one_line

MOST_BYTES = 1_000_000
"""Of what a probe prints; the rest is thrown away."""
STEP = 0.05
"""Seconds between two looks at the probes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe found.

    Attributes:
        found: its JSON object; empty where it gave none.
        failure: why it found nothing, in one line; empty where it did.
        late: whether it was at work still at the deadline.
    """

    found: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    late: bool = False


def ask(
    probes: Mapping[str, Sequence[str]], seconds: float, report: harness.Report
) -> dict[str, Answer]:
    """The answers of probes that run at the same time.

    Args:
        probes: name -> module of :mod:`harness_doctor.probes`, and its arguments.
        seconds: after which those that are at work still are ended.
        report: is told how many have ended.
    """
    started: dict[str, _Probe] = {}
    answers: dict[str, Answer] = {}
    deadline = time.monotonic() + seconds
    try:
        for name, (module, *arguments) in probes.items():
            try:
                started[name] = _Probe(f"harness_doctor.probes.{module}", arguments)
            except OSError as error:  # no memory for another process, or too many of them
                answers[name] = Answer(failure=f"no process can be started: {error.strerror}")
        while len(answers) < len(probes) and time.monotonic() < deadline:
            for name, probe in started.items():
                if name not in answers and probe.has_ended():
                    answers[name] = probe.answer()
            report(len(answers), len(probes), "")
            time.sleep(STEP)
    finally:
        for probe in started.values():
            probe.end()
    late = Answer(failure=f"no answer within {seconds:g} s", late=True)
    return {name: answers.get(name, late) for name in probes}


class _Probe:
    """A process at work, and what it has printed."""

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        # -P: a file of the working folder (torch.py) is not taken for a library.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        self._out, self._err = map(_Drain, (self._process.stdout, self._process.stderr))

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def answer(self) -> Answer:
        """What it found; to be asked when it has ended."""
        try:
            found = json.loads(self._out.content())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            return Answer(failure=_end(self._process.returncode, self._err.content()))
        error = found.pop("error", "")
        return Answer(found, one_line(str(error), 300))

    def end(self) -> None:
        """End it, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Drain:
    """Reads a pipe to its end, so that nobody waits for room in it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while block := os.read(stream.fileno(), 65_536):
                self._kept += block[: MOST_BYTES - len(self._kept)]

    def content(self) -> bytes:
        self._thread.join(1.0)  # a process that it left behind may hold the pipe open
        return bytes(self._kept)


def _end(code: int, err: bytes) -> str:
    """How a process ended that said nothing."""
    lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    last = f": {one_line(lines[-1], 300)}" if lines else ""
    if code >= 0:
        return f"its process ended with code {code}{last}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was ended by {name}{last}"
