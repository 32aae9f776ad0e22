"""What a job at work says of itself to other terminals: a small file in its folder.

It is no part of any result, and is written without care for power cuts.
"""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from harness.kit.files import overwrite
from harness.kit.terminal.time_left import TimeLeft
from harness.records.context import Report

FILE = "at-work.json"
SECONDS = 1.0
"""Between two steps that are written down."""


class AtWork:
    """Within it the job in ``folder`` is at work.

    Args:
        label: what people call it.
        launcher: ``local``, or the launcher's plugin.
    """

    def __init__(self, folder: Path, label: str, launcher: str) -> None:
        self._path, self._written = folder / FILE, 0.0
        self._told: dict[str, Any] = {
            "label": label, "launcher": launcher, "host": socket.gethostname(),
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
