"""What gain rows can show before a second model has answered them: one rule for every moment.

A gain is detected if it lies t(level) + t(power) standard errors of the rows' differences above 0.
How much these differ is not known before a second model has answered, so there is a range:

* The lower end holds if training changes little: pass/fail rows only turn from fail to pass, and
  differences of graded scores have a standard deviation of :data:`LEAST`.
* The upper end holds if old and new scores are unrelated, so that their variances add up. The new
  ones spread as much as the old ones at least, and otherwise as far as they may: pass/fail rows as
  a share not below the old one may, graded ones by a standard deviation of :data:`LATER`. Before
  round 0, graded scores that are 0 or 1 on most rows (shares of right fields) may spread as far as
  passes and fails. The base
  model's own spread is no guide to the new scores where it scores near 0: some rows will have
  learned the task and others not, a standard deviation of :data:`SPLIT`.

Of rows in groups the lower end takes each row for one, the upper end those of a group for one,
unless the base model's scores tell how alike they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.stats import student
from harness.stats.decision import POWER, alpha_of
from harness.stats.groups import effective_groups

LEAST = 0.15
"""Least standard deviation of the differences of graded rows, for scores from 0 to 1."""
LATER = 0.3
"""Greatest standard deviation of a model's graded scores, from 0 to 1, of rows in their middle."""
SPLIT = 0.4
"""The same of rows that the base model scores within :data:`NEAR` of an end of the range."""
NEAR = 0.1


Values = Literal["pass or fail", "mostly 0 or 1", "in between"]
"""How a score of single rows lies on its range."""


@dataclass(frozen=True, slots=True)
class BaseScores:
    """How the base model scores on single rows, on a range from 0 to 1, in which 1 is best.

    Attributes:
        mean, variance: over rows.
        design: variance of the mean in these groups over that in as many single rows.
        pass_or_fail: whether all rows score 0 or 1.
        at_end: share of the rows that score within :data:`NEAR` of 0 or 1.
    """

    mean: float
    variance: float
    design: float
    pass_or_fail: bool
    at_end: float = 1.0


def assumed_effect(groups: Sequence[str], rounds: int, values: Values) -> tuple[float, float]:
    """The range of the minimum detectable effect while nothing has answered these rows.

    Args:
        groups: that of each row.
        rounds: planned ones, which set the level of a verdict.
        values: of the score.
    """
    clustered = len(groups) / effective_groups(groups)
    # A mean in the middle, where scores may spread most.
    variance = LATER**2 if values == "in between" else 0.25
    passes = values == "pass or fail"
    unknown = BaseScores(0.5, variance, clustered, passes, at_end=0.0)
    return _ends(groups, alpha_of(rounds), unknown)


def effect_range(
    groups: Sequence[str], alpha: float, base: BaseScores, min_gain: float = 0.0
) -> tuple[float, float] | None:
    """The range of the minimum detectable effect for verdicts at ``alpha``, from 0 to 1.

    Args:
        groups: that of each row.
        min_gain: that a verdict asks for.

    Returns:
        None where no gain can be detected: what is left below the best score is ``min_gain`` at
        most, or less than the lower end of a pass/fail score.
    """
    low, high = (min_gain + end for end in _ends(groups, alpha, base))
    room = 1 - base.mean
    if min_gain >= room or (base.pass_or_fail and low > room):
        return None
    return min(low, room), min(max(low, high), room)


def _ends(groups: Sequence[str], alpha: float, base: BaseScores) -> tuple[float, float]:
    n, worth = len(groups), effective_groups(groups)
    reach = student.quantile(worth - 1, 1 - alpha) + student.quantile(worth - 1, POWER)
    middle = max(base.mean, 0.5)
    later = max(base.variance, min(_most(base), middle * (1 - middle)))
    weight = base.variance / later if later else 0.0  # how far the base model's groups are a guide
    design = weight * base.design + (1 - weight) * n / worth
    high = reach * math.sqrt((base.variance * base.design + later * design) / n)
    if not base.pass_or_fail:
        return LEAST * reach / math.sqrt(n), high
    # G = reach sqrt(G (1 - G) / n): rows turn from fail to pass, and none the other way.
    low = reach**2 / (n + reach**2)
    # McNemar's exact p of single rows moves in steps of a row.
    step = 1 / n if len(set(groups)) == n else 0.0
    return low + step, high + step


def _most(base: BaseScores) -> float:
    """The greatest variance of a later model's scores."""
    if base.pass_or_fail:
        return 0.25
    return base.at_end * SPLIT**2 + (1 - base.at_end) * LATER**2
