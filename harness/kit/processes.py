"""Which process is meant, among machines, containers and restarts; and the end of one.

A host's name and a PID do not say: two containers may share the one and reuse the other. On Linux
the boot, the PID namespace, the PID and the time of the process's start do.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kit import gate

_PROC = Path("/proc")
_ENDED = "ZXx"
"""States of ``/proc/PID/stat`` in which a process does nothing any more."""
LONGEST_END = 30.0
"""Seconds for which a killed process is waited for; one that the kernel holds does not end."""


def this_process() -> dict[str, Any]:
    """What tells this process from all others; empty where the system does not say it."""
    place, started = _place(), _start(os.getpid())
    return {**place, "pid": os.getpid(), "start": started} if place and started else {}


def is_gone(described: object) -> bool:
    """Whether the process of :func:`this_process` is known to have ended.

    False where it lives, and where this process could not see it: on another machine, in another
    container, or where the system does not say.
    """
    place = _place()
    if not place or not isinstance(described, Mapping) or type(described.get("pid")) is not int:
        return False
    if any(described.get(name) != value for name, value in place.items()):
        return False
    return _start(described["pid"]) != described.get("start")


def end_group(leader: int) -> None:
    """Kill the process group that a process leads; nothing happens where none is left of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def end(process: gate.Popen[Any]) -> None:
    """Kill a process that leads a group, with all of that, and close its pipes."""
    end_group(process.pid)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(gate.TimeoutExpired):
        process.wait(LONGEST_END)


def _place() -> dict[str, Any]:
    """This boot and PID namespace."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return {"boot": boot, "pids": os.readlink(_PROC / "self/ns/pid")}
    except OSError:
        return {}


def _start(pid: int) -> int | None:
    """Clock ticks from the boot to the start of a process; None where none of that PID runs."""
    try:
        # The name, in brackets, may hold anything.
        state, *fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return None if state in _ENDED else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None
