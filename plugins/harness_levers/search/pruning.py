"""Which trials need not be finished: the median stopping rule.

Golovin et al. 2017, *Google Vizier: A Service for Black-Box Optimization*: a trial is ended where
the mean of its values so far is worse than the median of that of others. Parts are the same rows
in each trial, so that a hard part is hard for all. Within a training the loss falls, so there the
last value counts, not the mean of all.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import harness


def hopeless(
    folds: Sequence[float],
    trials: Sequence[harness.Trial],
    *,
    higher_is_better: bool,
    startup: int,
) -> bool:
    """Whether a trial is worse than the median of those that came as far.

    Args:
        startup: trials that have to have come as far before any is ended.
    """
    far = len(folds)
    beside = [statistics.fmean(trial.folds[:far]) for trial in trials if len(trial.folds) >= far]
    if len(beside) < startup:
        return False
    sign = -1.0 if higher_is_better else 1.0
    return sign * statistics.fmean(folds) > sign * statistics.median(beside)


def limits(trials: Sequence[harness.Trial], *, startup: int) -> tuple[float | None, ...]:
    """For each place of a course the median loss of the trials that came as far.

    Args:
        startup: trials that have to have come as far before any is ended there.
    """
    courses = [trial.course for trial in trials]
    bounds: list[float | None] = []
    for place in range(max(map(len, courses), default=0)):
        beside = [course[place] for course in courses if len(course) > place]
        bounds.append(statistics.median(beside) if len(beside) >= startup else None)
    return tuple(bounds)
