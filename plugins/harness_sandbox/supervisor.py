"""The process above a program that sandlock holds in: a script, for it is run by its path.

    supervisor.py '{"library": "…", "read": […], …}' COMMAND …

It ends with the exit code of the command, after all that the command has started. Asked to end
(SIGTERM, or because whoever started it is gone), it ends them too. This needs it to be the parent
of what loses its own, for without a namespace of processes nothing else finds a daemon again.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
from typing import Any

_PARENT_ENDS, _ADOPTS = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
_PATIENCE = 4.0
"""Seconds that what was killed has to be gone."""


def main(order: str, command: list[str]) -> int:
    """Run a command by sandlock; gives its exit code, as a shell does."""
    settings: dict[str, Any] = json.loads(order)
    sys.path.append(settings["library"])
    os.environ.setdefault("HOME", "/")  # sandlock asks for it, and a user may have no entry
    from sandlock import Sandbox

    prctl = ctypes.CDLL(None).prctl
    prctl(_PARENT_ENDS, signal.SIGTERM, 0, 0, 0)
    prctl(_ADOPTS, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _end)
    # Nothing may be written: neither sandlock (0.9) nor Landlock bounds what a program writes.
    sandbox = Sandbox(
        fs_readable=[*settings["read"], os.getcwd()],
        fs_writable=["/dev/null"],
        cwd=os.getcwd(),
        max_processes=settings["processes"],
        clean_env=True,
        env=settings["environment"],
    )
    results: list[Any] = []
    # In a thread: Python sees no signal while a call into sandlock lasts.
    running = threading.Thread(target=lambda: results.append(sandbox.popen(command).wait()))
    running.start()
    running.join()
    _end_all_below()
    code, number = results[0].exit_code, results[0].signal
    # Of SIGKILL sandlock says that it was killed, and not by what signal.
    return int(code) if code >= 0 else 128 + (number if number > 0 else signal.SIGKILL)


def _end(*_: object) -> None:
    _end_all_below()
    os._exit(128 + signal.SIGTERM)


def _end_all_below() -> None:
    until = time.monotonic() + _PATIENCE
    while (alive := _alive_below()) and time.monotonic() < until:
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _alive_below() -> list[int]:
    """Descendants that have not ended, by /proc; what is reaped meanwhile is left out."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        parents[int(name)] = int(parent), state not in (b"Z", b"X")
    alive, above = [], {os.getpid()}
    while below := {pid for pid, (parent, _) in parents.items() if parent in above}:
        alive += [pid for pid in below if parents[pid][1]]
        above = below
    return alive


if __name__ == "__main__":
    os._exit(main(sys.argv[1], sys.argv[2:]))
