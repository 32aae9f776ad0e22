"""What gain rows can show before any model has answered them: from an assumed spread.

The assumptions stand in *How many rows* of the documentation, with what they rest on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.stats.decision import POWER, level
from harness.stats.groups import effective_groups
from harness.stats.intervals import detectable

GRADED = (0.15, 0.3)
"""Standard deviations of the differences of single rows, for scores from 0 to 1."""
CHANGED = 0.2
"""Share of the rows that pass in one round and fail in the other."""


def assumed_effect(groups: Sequence[str], rounds: int, *, graded: bool) -> tuple[float, float]:
    """The minimum detectable effect, from the least to the greatest assumed spread.

    Rows of one group count as something between one and all of them.

    Args:
        groups: that of each row.
        rounds: planned ones, which set the level of a verdict.
        graded: whether the score has values between pass and fail.
    """
    spreads = GRADED if graded else (math.sqrt(CHANGED),) * 2
    worth = effective_groups(groups)
    return (
        detectable(spreads[0] / math.sqrt(len(groups)), level(rounds), worth, POWER),
        detectable(spreads[1] / math.sqrt(worth), level(rounds), worth, POWER),
    )
