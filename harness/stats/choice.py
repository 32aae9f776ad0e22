"""What a choice among several scores of the same rows gains by luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.stats.groups import Floats, encode, group_sums
from harness.stats.resampling import replicates


def luck(values: Floats, groups: Sequence[str], seed: int) -> float:
    """How much the greatest of several means is expected to lie above the truth by chance.

    It is what the choice gains where all of them are equally good in truth: the mean, over draws of
    the bootstrap over groups (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993), of
    the greatest of the columns' means, each column with its own mean taken off. What columns have
    in common, since they are of the same rows, counts so.

    Args:
        values: ``(rows, columns)``, of which the greatest column is chosen.
        groups: of each row.
    """
    codes, count = encode(groups)
    sums = group_sums(values - values.mean(axis=0), codes, count)
    return float(np.max(replicates(sums, seed), axis=1).mean() / len(values))
