"""How much work something is: a number that neither a slow nor a busy machine changes much."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

_LETTERS = "".join(map(chr, range(32, 127))) * 10


def effort(work: Callable[[], object]) -> float:
    """Processor time of a call, as a multiple of a fixed piece of work of some milliseconds.

    The piece is done before and after, for the machine may change its pace meanwhile; both use
    dictionaries, text and patterns, as most of the code does whose time is bounded.
    """
    before = _seconds(_piece)
    spent = _seconds(work)
    return spent / max(before, _seconds(_piece))


def _seconds(work: Callable[[], object]) -> float:
    """Of all threads of this process; while it waits for a core the clock stands still."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _piece() -> None:
    counts: dict[str, int] = {}
    for _ in range(200):
        for letter in _LETTERS:
            counts[letter] = counts.get(letter, 0) + 1
        re.findall(r"\w+|[^\w\s]", _LETTERS)
