"""Waiting for what is outside: until one time by the clock, and never without a word.

A limit for each read ends nothing where a server sends a letter in time, again and again. So
whatever is waited for has one :class:`Deadline` for all of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

UNSAID = 10.0
"""Seconds of waiting after which it is said for whom."""
Say = Callable[[str], object]


def _unheard(sentence: str) -> None:
    return


class Late(Exception):
    """The time is over."""


class Deadline:
    """A time by the clock.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            Late: none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise Late
        return left

    def extend(self, seconds: float) -> None:
        """Wait longer: for what has come meanwhile, or for what is larger than most."""
        self._end += seconds


class _Speaker:
    """Who says a sentence to the person at the terminal."""

    say: Say = staticmethod(_unheard)


_speaker = _Speaker()


@contextlib.contextmanager
def telling(say: Say) -> Iterator[None]:
    """Within the block whom this process waits for is said there: it has one terminal."""
    before, _speaker.say = _speaker.say, say
    try:
        yield
    finally:
        _speaker.say = before


class Patience:
    """Says once for whom is waited, after :data:`UNSAID` without a sign of it.

    Args:
        whom: ``the store at s3://…``.
    """

    def __init__(self, whom: str) -> None:
        self._whom, self._since, self._said = whom, time.monotonic(), False

    def heard(self) -> None:
        """A sign of life has come."""
        self._since = time.monotonic()

    def look(self) -> None:
        """To be called now and then while nothing comes."""
        waited = time.monotonic() - self._since
        if waited >= UNSAID and not self._said:
            self._said = True
            _speaker.say(
                f"note: waiting for {self._whom}, which has said nothing for {waited:.0f} s"
            )


@contextlib.contextmanager
def waiting(whom: str) -> Iterator[Patience]:
    """A block that waits by itself, and cannot look at the clock: a thread does meanwhile."""
    patience, over = Patience(whom), threading.Event()

    def watch() -> None:
        while not over.wait(UNSAID / 10):
            patience.look()

    thread = threading.Thread(target=watch, name="harness-waiting", daemon=True)
    thread.start()
    try:
        yield patience
    finally:
        over.set()
        thread.join()
