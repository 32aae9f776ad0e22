"""How often two numbers order answers alike: accuracy in pairs, the one coefficient of ratings.

It sets automatic metrics beside raters (:mod:`harness_rating.outcomes.validity`), and what a judge
gives beyond raters beside the length of answers (:mod:`harness_rating.judge.calibration`). Pairs
that the first number does not order are left out. One that the second leaves open counts one half,
as a coin would. For pairs of answers: T. Kocmi et al., *To Ship or Not to Ship*, 2021.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.stats import Floats
from harness_rating.figures import Figure, bootstrap, share

_AT_ONCE = 1 << 20  # pairs compared at once: 8 MiB for each side


def any_two(first: Floats, second: Floats, groups: Sequence[str], seed: int) -> dict[str, Any]:
    """Accuracy in all pairs of answers, whatever their prompts.

    Intervals are of first order, as of Hájek's projection of a U-statistic: a group that is drawn
    twice counts twice in its pairs with the sample, not four times in those with itself. That
    spares a table of all pairs of groups. In 150 simulated batches of 20, 40 and 100 groups each,
    such intervals held in 89 to 97 %, and those that draw both sides of a pair in 91 to 99 %.

    Args:
        first, second: ``(n,)``, more being better.
        groups: one per answer; whole groups are drawn.

    Returns:
        ``n``, ``groups``, the figure ``accuracy``, and pairs that are ties: ``people_tied`` of the
        first, ``metric_tied`` of the second alone.
    """
    count = len(first)
    ordered, right, open_ = np.zeros((3, count))  # of each answer with all others
    step = max(1, _AT_ONCE // max(1, count))
    for start in range(0, count, step):
        block = slice(start, start + step)
        first_order = np.sign(first[block, None] - first)
        second_order = np.sign(second[block, None] - second)
        ordered[block] = np.abs(first_order).sum(axis=1)
        right[block] = (ordered[block] + (first_order * second_order).sum(axis=1)) / 2
        open_[block] = (np.abs(first_order) * (second_order == 0)).sum(axis=1)
    total = float(ordered.sum())
    if total:
        value = float(right.sum()) / total
        influence = (right - value * ordered)[:, None]  # its sum over the sample is 0
        (accuracy,) = bootstrap(
            influence, lambda sums: value + 2 * sums / total, groups, seed, (0.0, 1.0)
        )
    else:
        few = "fewer than two answers are both rated and scored"
        why = few if count < 2 else "raters gave all of them the same"
        accuracy = Figure(None, n=count, groups=len(set(groups)), why=why)
    tied = count * (count - 1) // 2 - int(total / 2)
    return _figures(accuracy, groups, tied, int(open_.sum() / 2))


def same_prompt(people: Floats, metric: Floats, groups: Sequence[str], seed: int) -> dict[str, Any]:
    """Accuracy in pairs of answers to one prompt, of which the differences are given.

    Returns:
        As :func:`any_two` does; ``n`` counts the pairs.
    """
    clear = people != 0
    if clear.any():
        right = np.where(clear, (1 + np.sign(people) * np.sign(metric)) / 2, 0.0)
        table = np.column_stack([right, clear.astype(np.float64)])
        accuracy = share(table, groups, seed, clear[:, None])
    elif len(people):
        accuracy = Figure(None, why="raters preferred no answer to another")
    else:
        accuracy = Figure(None, why="no prompt has two answers that are both rated and scored")
    tied = int(np.count_nonzero(clear & (metric == 0)))
    return _figures(accuracy, groups, int(np.count_nonzero(~clear)), tied)


def _figures(accuracy: Figure, groups: Sequence[str], people: int, metric: int) -> dict[str, Any]:
    return {
        "n": len(groups),
        "groups": len(set(groups)),
        "accuracy": accuracy.as_json(),
        "people_tied": people,
        "metric_tied": metric,
    }
