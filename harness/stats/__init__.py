"""Intervals, paired differences and tests, all of them clustered by group.

Rows of one group resemble each other, so the group is the unit that is resampled or swapped.
Nothing here knows records or metrics: statistics come as arrays ``(n, k)``, a function turns
weighted sums of them into scores, and groups are one name (or one integer code) per row. Groups
are ordered by name, so the order of rows never matters beyond floating-point rounding.

* ``groups``: codes, sums and worth of groups.
* ``resampling``: the bootstrap's weights, and totals under them.
* ``intervals``: one score, or the paired difference of two systems, with bounds and p.
* ``paired_shares``: pass or fail on the same rows: McNemar's test, and bounds of the difference.
* ``significance``: randomisation, and corrections for many tests.
* ``decision``: levels, power, which rows carry a verdict, and the label that follows from it.
* ``crossed``: a mean over seeds and groups of rows, both drawn at random.
* ``assumed``: what rows can show before anything has answered them.
* ``skewness``: what lopsided changes take from a bound.
* ``student``: Student's t.

For people: ``docs/statistics.md``.
"""

from harness.stats.crossed import Crossed, crossed, far_off, pseudo_values
from harness.stats.groups import (
    Aggregate,
    Floats,
    Groups,
    Ints,
    effective_groups,
    encode,
    group_sums,
    small_sample,
)
from harness.stats.intervals import (
    Difference,
    Interval,
    detectable,
    difference,
    from_end,
    interval,
)
from harness.stats.paired_shares import mcnemar, mcnemar_worse, share_bounds
from harness.stats.resampling import DRAWS, replicates, weights
from harness.stats.significance import benjamini_hochberg, holm, randomisation

__all__ = [
    "DRAWS",
    "Aggregate",
    "Crossed",
    "Difference",
    "Floats",
    "Groups",
    "Interval",
    "Ints",
    "benjamini_hochberg",
    "crossed",
    "detectable",
    "difference",
    "effective_groups",
    "encode",
    "far_off",
    "from_end",
    "group_sums",
    "holm",
    "interval",
    "mcnemar",
    "mcnemar_worse",
    "pseudo_values",
    "randomisation",
    "replicates",
    "share_bounds",
    "small_sample",
    "weights",
]
