"""Many rows told by some of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


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
