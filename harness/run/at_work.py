"""What a job at work says of itself to other terminals: a small file in its folder.

It is no part of any result, and is written without care for power cuts.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kit.files import overwrite, read_json
from harness.kit.terminal.time_left import TimeLeft
from harness.records.context import Report
from harness.run.places import MACHINE_FOLDER

FILE = "at-work.json"
SECONDS = 1.0
"""Between two steps that are written down."""


class AtWork:
    """Within it the job in ``folder`` is at work.

    Args:
        label: what people call it.
        runner: ``local``, or the runner's plugin.
    """

    def __init__(self, folder: Path, label: str, runner: str) -> None:
        self._path, self._written = folder / FILE, 0.0
        self._told: dict[str, Any] = {
            "label": label, "launcher": runner, "host": socket.gethostname(),
            "pid": os.getpid(), "began": time.time(), "step": [0, 0, ""], "stepped": time.time(),
            "left": None,
        }  # fmt: skip
        self._time_left = TimeLeft()

    def __enter__(self) -> AtWork:
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)

    def hearing(self, report: Report) -> Report:
        """``report``, of whose steps some are written down."""

        def told(done: int, total: int, what: str) -> None:
            report(done, total, what)
            if done:
                self._time_left.reached(time.monotonic(), done)
            if time.monotonic() - self._written >= SECONDS or not done:
                self._told |= {
                    "step": [done, total, what], "stepped": time.time(),
                    "left": self._time_left.seconds(total),
                }  # fmt: skip
                self._write()

        return told

    def _write(self) -> None:
        self._written = time.monotonic()
        beside = self._path.with_suffix(".new")
        try:
            overwrite(beside, json.dumps(self._told).encode())
            beside.replace(self._path)
        except OSError:  # a full disk meets those whose files count
            return


@dataclass(frozen=True, slots=True)
class AttendedJob:
    """A job that a run's process waits for.

    Attributes:
        label: what people call it.
        runner: ``local``, or the runner's plugin.
        host, process: of its run.
        began: seconds since 1970.
        step: how many are done, of how many (0: not known), and what they are called.
        left: seconds that are left at its present pace; None where that is not steady.
    """

    label: str
    runner: str
    host: str
    process: int
    began: float
    step: tuple[int, int, str]
    left: float | None


def attended_jobs(root: Path) -> dict[Path, AttendedJob]:
    """The jobs of a working folder's runs that a run's process waits for, by their folders."""
    # A walk passes over folders that go meanwhile, a glob does not.
    walk = os.walk(root / MACHINE_FOLDER / "work")
    folders = [Path(top) for top, _, names in walk if FILE in names]
    jobs = {folder: _attended(folder) for folder in folders}
    return {folder: job for folder, job in jobs.items() if job is not None}


def _attended(folder: Path) -> AttendedJob | None:
    import psutil

    try:
        noted = read_json(folder / FILE)
        process, host = int(noted["pid"]), str(noted["host"])
        if host == socket.gethostname() and not psutil.pid_exists(process):
            return None
        return AttendedJob(
            str(noted["label"]), str(noted["launcher"]), host, process, float(noted["began"]),
            _step(noted), _left(noted),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _step(noted: Mapping[str, Any]) -> tuple[int, int, str]:
    match noted["step"]:
        case [int(done), int(total), str(what)]:
            return done, total, what
    return 0, 0, ""


def _left(noted: Mapping[str, Any]) -> float | None:
    if noted["left"] is None:
        return None
    return max(0.0, float(noted["left"]) - (time.time() - float(noted["stepped"])))
