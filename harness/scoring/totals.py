"""Scores of a whole set of answers, from what was measured of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness import stats
from harness.records import Measurement, Score
from harness.scoring.metric_entry import Groups, MetricEntry, Pair, group_names, overrides
from harness.stages import Metric

_ONE_SIDED = 0.025
"""Error of either bound of a 95 % interval."""


def scores(
    entry: MetricEntry,
    measurements: Sequence[Measurement],
    groups: Groups,
    seed: int,
    *,
    pairs: Sequence[Pair] = (),
    draws: int = stats.DRAWS,
    signature: str | None = None,
) -> dict[str, Score]:
    """The entry's scores over all measured examples, with 95 % intervals.

    Args:
        signature: the metric's when it measured; its present one where none is given.
        pairs: answers and examples; only a metric that is not additive needs them.

    Returns:
        score name -> score; its value is None where nothing is scored.

    Raises:
        PluginError: the metric fails on the whole set.
    """
    scored = [m for m in measurements if m.statistics is not None]
    scored.sort(key=lambda measurement: measurement.example_id)
    unscored = len(measurements) - len(scored)
    if not scored:
        estimates = [stats.Interval(math.nan, None, None, None)] * len(entry.score_names)
    elif entry.metric.additive:
        names = group_names(groups, (m.example_id for m in scored))
        statistics, bounds = table(scored), entry.metric.bounds
        estimates = stats.interval(entry.aggregate, statistics, names, seed, draws=draws)
        own = entry.own_values(statistics).T
        mean = not overrides(entry.metric, "aggregate", "values")
        estimates = [
            _pass_or_fail(estimate, values, bounds, names, mean)
            for estimate, values in zip(estimates, own, strict=True)
        ]
    else:
        estimates = _corpus(entry, {m.example_id for m in scored}, pairs)
    signature = entry.signature() if signature is None else signature
    caveat = entry.caveat()
    return {
        name: _score(name, estimate, len(scored), unscored, signature, caveat, entry.metric)
        for name, estimate in zip(entry.score_names, estimates, strict=True)
    }


def right_at(metric: Metric) -> float | None:
    """The value from which an example counts as right: the option, else the class's attribute."""
    at = getattr(metric.options, "right_at", None)
    return metric.right_at if at is None else at


def right(metric: Metric, value: float | None) -> bool | None:
    """Whether an example's own value counts as right; None where that cannot be said."""
    at = right_at(metric)
    if at is None or value is None or math.isnan(value):
        return None
    return bool(value >= at) if metric.higher_is_better else bool(value <= at)


def table(measurements: Sequence[Measurement]) -> stats.Floats:
    """Statistics ``(n, k)`` of scored examples."""
    rows = [m.statistics for m in measurements if m.statistics is not None]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def _corpus(entry: MetricEntry, scored: set[str], pairs: Sequence[Pair]) -> list[stats.Interval]:
    chosen = [pair for pair in pairs if pair[1].id in scored]
    if len(chosen) != len(scored):
        raise ValueError(f"metric {entry.name} is not additive: its score needs the answers")
    return [stats.Interval(value, None, None, None) for value in entry.corpus(chosen)]


def _pass_or_fail(
    estimate: stats.Interval,
    values: stats.Floats,
    bounds: tuple[float, float],
    groups: Sequence[str],
    mean: bool,
) -> stats.Interval:
    """With the bounds of a share, where each row has the worst value or the best one.

    Args:
        values: each row's own.
        mean: whether the score is known to be the mean of these.
    """
    least, most = bounds
    span = most - least
    if estimate.se is None or not math.isfinite(span) or not np.isin(values, bounds).all():
        return estimate
    apart = abs(estimate.value - float(values.mean()))
    if not mean and (estimate.se == 0 or apart > 1e-9 * span):
        return estimate
    if len(set(groups)) == len(groups):
        low, high = stats.share_interval(int((values == most).sum()), len(values))
        return replace(estimate, low=least + span * low, high=least + span * high)
    if estimate.value in bounds:
        reach = span * stats.from_end(groups, _ONE_SIDED)
        return replace(estimate, low=estimate.value - reach, high=estimate.value + reach)
    return estimate


def _score(
    name: str,
    estimate: stats.Interval,
    n: int,
    unscored: int,
    signature: str,
    caveat: str,
    metric: Metric,
) -> Score:
    value = estimate.value if math.isfinite(estimate.value) else None
    # Bounds that fall together would claim certainty, where it is the spread that is not known.
    without_spread = estimate.low == estimate.high
    low, high = (None, None) if without_spread else (estimate.low, estimate.high)
    if value is not None and low is not None and high is not None:
        least, most = metric.bounds
        low, high = min(max(low, least), value), max(min(high, most), value)
    better = metric.higher_is_better
    return Score(name, value, low, high, n, unscored, signature, better, estimate.se, caveat)
