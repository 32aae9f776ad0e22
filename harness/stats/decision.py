"""When two sides are called different: levels, power, which rows can carry a verdict, labels.

Pure arithmetic on groups and bounds; it knows no record and no metric, and loads no NumPy itself.
"""

from __future__ import annotations

import math
import reprlib
from collections import Counter
from collections.abc import Sequence
from typing import Literal

ALPHA = 0.05
"""Error allowed to a one-sided bound, or to a two-sided test."""
POWER = 0.8
"""With which a minimum detectable effect is found."""
MIN_GROUPS = 20
"""Fewer groups carry no verdict."""
MAX_SHARE = 0.10
"""The largest share of the rows that one group may have."""

NO_SPREAD = "the spread of this score cannot be estimated from these rows"
"""The reason against a verdict where no standard error can be estimated."""

Test = Literal["auto", "bootstrap", "randomisation"]
"""Where p comes from. ``auto`` is McNemar's exact test for a pass/fail score of single rows, and
the bootstrap otherwise."""
Decision = Literal["improved", "no evidence", "regressed"]


def alpha_of(rounds: int) -> float:
    """Error allowed to each one-sided bound when ``rounds`` verdicts are planned (Bonferroni)."""
    return ALPHA / max(1, rounds)


def level(rounds: int) -> float:
    """Confidence of each one-sided bound when ``rounds`` verdicts are planned."""
    return 1 - alpha_of(rounds)


def usable(groups: Sequence[str]) -> str:
    """Why rows of these groups cannot carry a verdict, or an empty string.

    Args:
        groups: the group of each row.
    """
    counts = Counter(groups)
    if not counts:
        return "no row can be compared"
    if len(counts) < MIN_GROUPS:
        origin = f"{len(groups)} rows come from {len(counts)} groups"
        return f"the {origin}, and a verdict needs {MIN_GROUPS} groups or more"
    name, most = counts.most_common(1)[0]
    if most > MAX_SHARE * len(groups):
        share = f"{most} of the {len(groups)} rows"
        most_allowed = f"{100 * MAX_SHARE:.0f} % is the most that a verdict allows"
        return f"one group, {reprlib.repr(name)}, has {share}, and {most_allowed}"
    return ""


def label(
    low: float | None, high: float | None, *, equal: float = 0.0, min_gain: float = 0.0
) -> Decision:
    """What the one-sided bounds of a difference say, in which more is better.

    Args:
        low, high: None where there is no bound: then nothing is concluded.
        equal: the value at which neither side is better (.5 for a win rate).
        min_gain: how far above that the lower bound of an improvement has to lie.
    """
    if low is not None and low > equal + min_gain:
        return "improved"
    return "regressed" if high is not None and high < equal else "no evidence"


def label_of_test(difference: float | None, p: float | None, alpha: float = ALPHA) -> Decision:
    """What a two-sided test of a difference says, in which more is better."""
    if difference is None or p is None or not p < alpha:
        return "no evidence"
    return "improved" if difference > 0 else "regressed"


def rows_needed(
    n: int | None, difference: float, detectable: float | None, min_gain: float = 0.0
) -> int | None:
    """Rows, in groups as large as today's, with which a true gain is found with 80 % power.

    The minimum detectable effect D of n rows is m + c / sqrt(n), where m is the gain that is
    required; it comes down to the gain d with n ((D - m) / (d - m))^2 rows.

    Args:
        n: rows of today; None where they are not known.
        difference: the true gain d, in units of the score.
        detectable: the minimum detectable effect D of these n rows, ``min_gain`` included.
        min_gain: the gain m above which a bound has to lie.

    Returns:
        Rows, rounded up to two significant digits; None where n or D is not known, or no number of
        rows is enough, as d is not above m.
    """
    if not n or detectable is None or difference <= min_gain:
        return None
    exact = n * ((detectable - min_gain) / (difference - min_gain)) ** 2
    unit = 10 ** max(0, math.floor(math.log10(max(exact, 1.0))) - 1)
    return int(math.ceil(exact / unit) * unit)
