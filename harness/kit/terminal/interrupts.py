"""Ctrl-C, from the first moment to the last. Imports nothing heavy.

A command may take Ctrl-C over while it works (``iterate`` finishes its step). Before and after
that the first one ends the command, and a second one ends it at once; the code is 130 in any case.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator

CODE = 130
"""What a shell says of a program that Ctrl-C ended; as ``harness.errors.EXIT_INTERRUPTED``."""

RESUMED = ("iterate", "test")
"""Commands that go on where they were stopped."""


@contextlib.contextmanager
def answered() -> Iterator[None]:
    """Within it Ctrl-C ends the process; from :func:`begin` on the first is KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    after = signal.signal(signal.SIGINT, _at_once)
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as end:
        if getattr(end, "code", CODE) == CODE:
            # What is left to do takes a moment: another Ctrl-C must not give another code.
            after = signal.SIG_IGN
        raise
    finally:
        signal.signal(signal.SIGINT, after)


def begin() -> None:
    """The command begins, and there is something to clean up from now on.

    Before, an exception may be lost: what a signal raises within an import can be swallowed.
    """
    if signal.getsignal(signal.SIGINT) is _at_once:
        signal.signal(signal.SIGINT, _first)


def way_on() -> str:
    """The command that goes on: as it was given, but that it begins nothing again."""
    words = [word for word in sys.argv[1:] if word != "--as-new-run"]
    again = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if before != "--reopen" and not word.startswith("--reopen")
    ]
    return shlex.join(["harness", *again])


class Stop:
    """Ctrl-C: the first asks to stop after the present step, the second ends at once."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._asked = False

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        if self._asked:
            os._exit(CODE)
        self._asked = True
        self._say("stopping after this step; Ctrl-C again ends at once")


def _first(number: int, frame: object) -> None:
    signal.signal(signal.SIGINT, _at_once)
    _say_way_on()
    raise KeyboardInterrupt


def _at_once(number: int, frame: object) -> None:
    _say_way_on()
    os._exit(CODE)


_said: list[str] = []


def _say_way_on() -> None:
    if not _said and sys.argv[1:2] and sys.argv[1] in RESUMED:
        _said.append(f"stopped; finished work is saved. To resume:\n  {way_on()}\n")
        with contextlib.suppress(OSError):
            os.write(2, _said[0].encode("utf-8", "replace"))
