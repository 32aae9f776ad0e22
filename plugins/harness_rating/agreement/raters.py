"""What each rater is like: how severe, how steady on hidden repeats, how fast.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.stats import Floats, share_interval
from harness_rating.agreement.grid import Grid
from harness_rating.batches.records import Batch
from harness_rating.figures import Figure, bootstrap

Values = Mapping[tuple[str, str], Any]
"""(rater, item) -> value; None = cannot judge."""
MIRRORED = {"A": "B", "B": "A"}
"""What a preference is when the sides are swapped."""


def severity(ratings: Grid, seed: int | None) -> dict[int, Figure]:
    """By how many points each rater (code) is above the others on the same units.

    A rating's deviation is from the mean of the *others'* ratings of that unit: the mean of all
    would contain the rater, and with two raters halve the difference. Below 0 is strict.
    """
    if not ratings.count or not np.isfinite(ratings.numbers).all():
        return {}
    values, sizes = ratings.numbers[ratings.codes], ratings.sizes
    sums = np.bincount(ratings.units, values, ratings.count)
    others = (sums[ratings.units] - values) / (sizes[ratings.units] - 1)
    raters, columns = np.unique(ratings.raters, return_inverse=True)
    shape = (ratings.count, len(raters))
    apart, rated = np.zeros(shape), np.zeros(shape)
    np.add.at(apart, (ratings.units, columns), values - others)
    np.add.at(rated, (ratings.units, columns), 1.0)

    def scores(sums: Floats) -> Floats:
        half = len(raters)
        return np.asarray(sums[:half] / sums[half:])

    limits = (-math.inf, math.inf)
    figures = bootstrap(np.hstack([apart, rated]), scores, ratings.groups, seed, limits, rated)
    return dict(zip(raters.tolist(), figures, strict=True))


def steadiness(batch: Batch, table: Values, number: Callable[[Any], float]) -> list[dict[str, Any]]:
    """How far each rater gave hidden repeats the same value again."""
    pairs: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for (rater, item), again in table.items():
        placing = batch.placings[item]
        if placing.repeat_of is None:
            continue
        first = table.get((rater, placing.repeat_of))
        if first is None or again is None:
            continue
        swapped = placing.rounds != batch.placings[placing.repeat_of].rounds
        if swapped and isinstance(again, str):
            again = MIRRORED.get(again, again)
        pairs[rater].append((first, again))
    return [
        {"rater": rater, **consistency(pairs[rater], number)}
        for rater in batch.raters
        if pairs[rater]
    ]


def consistency(
    pairs: Sequence[tuple[Any, Any]], number: Callable[[Any], float] = lambda _: math.nan
) -> dict[str, Any]:
    """Share of pairs of one rater's values that are the same, and their mean distance.

    The interval takes the pairs as independent, and holds where all or none are the same.

    Args:
        number: what a value counts in points, NaN without.
    """
    n = len(pairs)
    same = sum(_same(first, again) for first, again in pairs)
    low, high = share_interval(same, n) if n else (None, None)
    moved = [abs(number(again) - number(first)) for first, again in pairs]
    mean = math.fsum(moved) / n if n else math.nan
    return {
        "repeats": n,
        "same": same / n if n else None,
        "low": low,
        "high": high,
        "moved": mean if math.isfinite(mean) else None,
    }


def _same(first: Any, again: Any) -> bool:
    if is_list(first) and is_list(again):
        return set(first) == set(again)
    return bool(first == again)


def timing(seconds: Mapping[tuple[str, str], float], raters: Sequence[str]) -> dict[str, Any]:
    """Seconds for an item, of all and of each rater."""
    times_of: dict[str, list[float]] = {rater: [] for rater in raters}
    for (rater, _), spent in seconds.items():
        if rater in times_of:
            times_of[rater].append(spent)
    return {
        **quartiles([spent for times in times_of.values() for spent in times]),
        "raters": [
            {"rater": rater, **quartiles(times)} for rater, times in times_of.items() if times
        ],
    }


def quartiles(seconds: Sequence[float]) -> dict[str, Any]:
    """Items, and the quartiles of their times; None without any."""
    if len(seconds) < 2:
        only = seconds[0] if seconds else None
        return {"items": len(seconds), "lower": only, "median": only, "upper": only}
    lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return {"items": len(seconds), "lower": lower, "median": median, "upper": upper}


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
