"""Waiting for what surely comes, however busy the machine is."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Found = TypeVar("Found")
LONG = 240.0
"""Seconds after which what a test waits for does not come: no test takes so long that passes."""


def until(look: Callable[[], Found], what: str = "it") -> Found:
    """What ``look`` gives, once that is true."""
    end = time.monotonic() + LONG
    while not (found := look()):
        assert time.monotonic() < end, f"{what} did not happen within {LONG:g} s"
        time.sleep(0.01)
    return found


@contextlib.contextmanager
def threads_ended() -> Iterator[None]:
    """At its end the threads that were begun within it have ended: what was still under way when a
    command ended has happened, too."""
    before = {*threading.enumerate()}
    yield
    # A command that fails leaves one that waits for the end of the program.
    until(lambda: all(t in before or t.name == "harness-end" for t in threading.enumerate()))
