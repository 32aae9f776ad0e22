"""The minimum detectable effect of a dev set, estimated before anything is trained.

How much paired differences will vary is not known before there is a second checkpoint, so
something has to stand in for it: for pass/fail scores the binomial law, for graded ones the
spread of the base model's scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.records import Measurement
from harness.stats import student
from harness.stats.decision import NO_SPREAD, POWER
from harness.verdicts.pairs import complete_pairs
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent, support

SPREAD = 2.25
"""How many times the spread of the base model's scores that of the differences may be.

In the first rounds of two real runs it was 2.1 and 1.5 times; the rest is for skewness.
"""

_STEPS = 60  # of the bisection: to the last digit


def minimum_detectable_effect(
    score: DecidingScore, baseline: Sequence[Measurement], *, alpha: float, min_gain: float = 0.0
) -> tuple[float | None, str]:
    """The minimum detectable effect of this set, for verdicts at ``alpha``.

    Returns:
        The gain that is detected with 80 % power (the upper end of a range), or None where it
        cannot be estimated; and a sentence.
    """
    entry, title = score.entry, score.title
    pairs = complete_pairs(entry, baseline, baseline, score.groups)
    if pairs.doubt:
        return None, f"Every round will read no evidence on {title}: {pairs.doubt}."
    place = entry.column(score.name)
    every = stats.interval(entry.aggregate, pairs.new, pairs.names, score.seed, draws=score.draws)
    estimate = every[place]
    if estimate.se is None:
        return None, f"Every round will read no evidence on {title}: {NO_SPREAD}."
    own = entry.own_values(pairs.new)[:, place]
    size = support(len(pairs.names), len(set(pairs.names)))
    if np.isin(own, (0.0, 1.0)).all() and math.isclose(estimate.value, own.mean(), abs_tol=1e-9):
        right = own if entry.metric.higher_is_better else 1 - own
        return _of_shares(score, right, estimate.se, pairs.names, alpha, min_gain)
    if estimate.se == 0:
        return None, (
            f"The base model has the same {title} on all of {size}, so the minimum detectable "
            "effect cannot be estimated."
        )
    worth, show = stats.effective_groups(pairs.names), number(entry)
    least = stats.detectable(estimate.se, 1 - alpha, worth, POWER)
    low, high = min_gain + least, min_gain + SPREAD * least
    return high, (
        f"With {size}, the minimum detectable effect in {title} is {show(low)} to {show(high)} at "
        f"{percent(POWER)} power and {percent(1 - alpha)} confidence. The lower end holds if the "
        "differences between two checkpoints vary as much as the scores of the base model do, the "
        f"upper if {SPREAD:g} times as much; training mostly spreads scores. Each round's verdict "
        "has the measured figure. Smaller gains will mostly read no evidence."
    )


def _of_shares(
    score: DecidingScore,
    right: stats.Floats,
    se: float,
    groups: Sequence[str],
    alpha: float,
    min_gain: float,
) -> tuple[float | None, str]:
    """The same for rows that pass or fail.

    Args:
        right: ``(n,)``, 1 where the row passes.
        se: clustered standard error of their share.
        groups: each row's.
    """
    n, share = len(right), float(right.mean())
    plain = share * (1 - share) / n
    design = max(1.0, se**2 / plain) if plain else 1.0
    worth, size = stats.effective_groups(groups), support(n, len(set(groups)))
    reach = student.quantile(worth - 1, 1 - alpha) + student.quantile(worth - 1, POWER)
    least = share_gain((right.sum() + 1) / (n + 2), n, reach, design, min_gain)
    if least is None:
        return None, (
            f"The base model passes {int(right.sum())} of {size} ({score.title}), so no "
            f"gain can be detected at {percent(1 - alpha)} confidence: every round will read no "
            "evidence unless it is worse."
        )
    return least, (
        f"With {size}, the minimum detectable effect in {score.title} is "
        f"{number(score.entry)(least)} at {percent(POWER)} power and {percent(1 - alpha)} "
        "confidence, if the rows that two checkpoints pass are unrelated; where they pass the same "
        "ones, it is smaller. Smaller gains will mostly read no evidence."
    )


def share_gain(
    before: float, n: int, reach: float, design: float = 1.0, min_gain: float = 0.0
) -> float | None:
    """The gain G in a share of n rows that lies ``reach`` standard errors above ``min_gain``.

    With p0 before and p1 = p0 + G after, and rows that change independently, the difference of
    two rows has variance p0 (1 - p1) + p1 (1 - p0) - G^2. Found by bisection.

    Args:
        before: p0.
        design: variance in these groups over that in single rows.

    Returns:
        None where even a share of 1 does not lie that far above.
    """

    def excess(gain: float) -> float:
        after = before + gain
        variance = before * (1 - after) + after * (1 - before) - gain**2
        return gain - min_gain - reach * math.sqrt(max(0.0, variance) * design / n)

    low, high = 0.0, 1 - before
    if excess(high) < 0:
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high
