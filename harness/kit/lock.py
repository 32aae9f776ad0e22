"""Locks on files: one process at a time works on what a lock stands for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EnvironmentFailure
from harness.errors.machine import storing


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """Hold the lock, waiting for whoever has it; for work of seconds at most."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock; it goes with the process, however that ends.

    Raises:
        EnvironmentFailure: another process has it; names its PID and host.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+")
    with opened as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise EnvironmentFailure(
                f"this run is already in progress: {holder}",
                hint="wait for it, or stop it first",
            ) from None
        stream.seek(0)
        stream.truncate()
        stream.write(f"PID {os.getpid()} on {socket.gethostname()}\n")
        stream.flush()
        yield
