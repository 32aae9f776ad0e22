"""Intervals, paired differences and tests, all of them clustered by group.

Rows of one group resemble each other, so the group is the unit that is resampled or swapped.
Nothing here knows records or metrics: statistics come as arrays ``(n, k)``, a function turns
weighted sums of them into scores, and groups are one name (or one integer code) per row. Groups
are ordered by name, so the order of rows never matters beyond floating-point rounding.

* ``groups``: codes, sums and worth of groups.
* ``resampling``: the bootstrap's weights, and totals under them.
* ``intervals``: one score, or the paired difference of two systems, with bounds and p.
* ``shares``: one share of single rows, with bounds.
* ``paired_shares``: pass or fail on the same rows: McNemar's test, and bounds of the difference.
* ``significance``: randomisation, and corrections for many tests.
* ``decision``: levels, power, which rows carry a verdict, and the label that follows from it.
* ``crossed_means``: a mean over seeds and groups of rows, both drawn at random.
* ``assumed``: what rows can show before anything has answered them.
* ``skewness``: what lopsided changes take from a bound.
* ``student``: Student's t.

Names are loaded when they are first used: levels and labels (``decision``) need no NumPy.

For people: ``docs/statistics.md``.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from harness.stats.crossed_means import (
        Crossed as Crossed,
        crossed as crossed,
        far_off as far_off,
        pseudo_values as pseudo_values,
    )
    from harness.stats.groups import (
        Aggregate as Aggregate,
        Floats as Floats,
        Groups as Groups,
        Ints as Ints,
        effective_groups as effective_groups,
        encode as encode,
        group_sums as group_sums,
        small_sample as small_sample,
    )
    from harness.stats.intervals import (
        Difference as Difference,
        Interval as Interval,
        detectable as detectable,
        difference as difference,
        from_end as from_end,
        interval as interval,
    )
    from harness.stats.paired_shares import (
        mcnemar as mcnemar,
        mcnemar_worse as mcnemar_worse,
        share_bounds as share_bounds,
    )
    from harness.stats.resampling import (
        DRAWS as DRAWS,
        replicates as replicates,
        weights as weights,
    )
    from harness.stats.shares import share_interval as share_interval
    from harness.stats.significance import (
        benjamini_hochberg as benjamini_hochberg,
        holm as holm,
        randomisation as randomisation,
    )

_HOMES = {
    "crossed_means": ("Crossed", "crossed", "far_off", "pseudo_values"),
    "groups": (
        "Aggregate", "Floats", "Groups", "Ints", "effective_groups", "encode", "group_sums",
        "small_sample",
    ),
    "intervals": (
        "Difference", "Interval", "detectable", "difference", "from_end", "interval",
    ),
    "paired_shares": ("mcnemar", "mcnemar_worse", "share_bounds"),
    "resampling": ("DRAWS", "replicates", "weights"),
    "shares": ("share_interval",),
    "significance": ("benjamini_hochberg", "holm", "randomisation"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    import importlib

    if home := _HOME_OF.get(name):
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
