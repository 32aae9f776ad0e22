"""Waiting for what is outside: until one time by the clock, and never without a word.

A limit for each read ends nothing where a server sends a letter in time, again and again. So
whatever is waited for has one :class:`Deadline` for all of it.
"""

from __future__ import annotations

import time

from harness.kit.telling import tell

UNSAID = 10.0
"""Seconds of waiting after which it is said for whom."""


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
            tell(f"waiting for {self._whom}, which has said nothing for {waited:.0f} s")
