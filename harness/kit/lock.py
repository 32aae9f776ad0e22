"""Locks on files: one process at a time works on what a lock stands for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EnvironmentFailure
from harness.errors.machine import storing
from harness.kit.inside import not_a_link


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """Hold the lock, waiting for whoever has it; for work of seconds at most.

    Raises:
        Outside: the file is a link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", opener=not_a_link) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock; it goes with the process, however that ends.

    Raises:
        EnvironmentFailure: another process has it; names its PID and host.
        Outside: the file is a link.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = open(path, "a+", opener=not_a_link)  # noqa: SIM115 - closed below
    with opened as stream:
        if not _taken(stream.fileno()):
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise EnvironmentFailure(
                f"this run is already in progress: {holder}",
                hint="wait for it, or stop it first",
            )
        stream.seek(0)
        stream.truncate()
        stream.write(f"PID {os.getpid()} on {socket.gethostname()}\n")
        stream.flush()
        yield


def _taken(descriptor: int) -> bool:
    for _ in range(10):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)  # who only looks whether it is held has it for a moment, too
    return False


def is_held(path: Path) -> bool:
    """Whether a process holds the lock; so, too, where that cannot be known."""
    try:
        # A pipe that lies in its place is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
