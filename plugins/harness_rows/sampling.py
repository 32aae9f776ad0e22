"""Many rows told by some of them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness import Example
from harness.kit.draws import spaced

MEASURED = 10_000_000
"""Characters of drawn rows, and of the longest ones, that become tokens: about 16 s of a core."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths of many texts.

    Attributes:
        most: nineteen of twenty are no longer.
        rare: ninety-nine of a hundred are no longer.
    """

    median: int
    most: int
    rare: int
    longest: int

    @classmethod
    def of(cls, drawn: Sequence[float], every: Sequence[float]) -> Spread:
        """Rounded up.

        Args:
            drawn: lengths of a sample; at least one.
            every: those of the longest rows, too, for the maximum.
        """
        ordered = sorted(drawn)
        at = [ordered[math.ceil(q * len(ordered)) - 1] for q in (0.5, 0.95, 0.99)]
        return cls(*map(math.ceil, (*at, max(every))))


def evenly(rows: Sequence[Example], most: int) -> list[Example]:
    """Rows evenly spaced: at most so many, and of long rows as many as :data:`MEASURED` allows."""
    mean = sum(map(characters, rows)) / max(1, len(rows))
    return spaced(rows, max(1, min(most, int(MEASURED / max(1, mean)))))


def longest(
    rows: Iterable[Example], most: int, length: Callable[[Example], int] | None = None
) -> list[Example]:
    """The longest rows: at most so many, and no more than :data:`MEASURED` allows, but one.

    Args:
        length: by what they are compared; their characters if None.
    """
    taken: list[Example] = []
    left = MEASURED
    for row in heapq.nlargest(most, rows, key=length or characters):
        left -= characters(row)
        if taken and left < 0:
            break
        taken.append(row)
    return taken


def characters(row: Example) -> int:
    """Those of its turns and of its longest reference."""
    return sum(len(turn.get("content") or "") for turn in row.messages) + answer_characters(row)


def answer_characters(row: Example) -> int:
    """Those of its longest reference."""
    return max(map(len, row.references), default=0)
