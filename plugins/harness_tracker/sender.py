"""A tracker's library in a process of its own, which is given only so much time.

Libraries of trackers start threads and services, wait for networks, and some end the process they
are in. Here nothing of that reaches the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kit.privacy import of_this_user
from harness.kit.text import one_line
from harness_tracker.figures import Entry

LIMIT = 30.0
"""Seconds for the start (imports and login included), for each round, and for the end."""


class Sender:
    """Sends to one tracker.

    Each call gives what went wrong, in a sentence, or an empty string. After a failure the process
    is ended, and the next call begins another.

    Attributes:
        id: of the tracker's run.
    """

    def __init__(self, tracker: str, about: Mapping[str, Any], log: Path) -> None:
        self.tracker, self.about, self.log = tracker, dict(about), log
        self.id = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def begin(self, id_: str, attempt: int) -> str:
        """Begin the tracker's run, or go on with the one of that id, unless that is done."""
        if self._process is not None:
            return ""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "harness_tracker.process", str(LIMIT)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            return self._failed(str(error))
        self._pending = b""
        asked = {"tracker": self.tracker, "id": id_, "attempt": attempt, **self.about}
        answer, failure = self._ask(asked)
        self.id = answer.get("id", "")
        return failure

    def send(self, entry: Entry) -> str:
        """Send one entry."""
        asked = {
            "step": entry.step, "numbers": dict(entry.numbers), "texts": dict(entry.texts),
        }  # fmt: skip
        return self._ask(asked)[1]

    def end(self) -> str:
        """End the tracker's run as a finished one."""
        if self._process is None:
            return ""
        failure = self._ask({"end": True})[1]
        self.close()
        return failure

    def close(self) -> None:
        """End the process, and whatever it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        process = self._process
        assert process is not None and process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(self._line())
        except TimeoutError:
            return {}, self._failed(f"no answer within {LIMIT:.0f} s")
        except (OSError, ValueError):
            return {}, self._failed(f"its process ended; what it printed is in {self.log}")
        if "error" in answer:
            return {}, self._failed(str(answer["error"]))
        return answer, ""

    def _line(self) -> bytes:
        """The next line of the process; empty where it has ended."""
        assert self._process is not None and self._process.stdout is not None
        stream, until = self._process.stdout, time.monotonic() + LIMIT
        while b"\n" not in self._pending:
            left = until - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise TimeoutError
            data = os.read(stream.fileno(), 1 << 16)
            if not data:
                return b""
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _failed(self, why: str) -> str:
        self.close()
        why = one_line(of_this_user().text(why), 300)
        return f"{self.tracker} does not get the figures of the run, which goes on: {why}"
