"""Runs the metrics over answers: what cannot be scored is recorded as such, never as 0.

A metric is somebody else's code. Whatever it raises or returns for one example, that example
alone is left unscored, with the reason, and the others stand.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from harness import stats
from harness.errors import Cancelled, EnvironmentFailure, PluginError, Waiting
from harness.records import Example, Measurement, Prediction, Score
from harness.stages import Metric

Pair = tuple[Prediction, Example]
Groups = Mapping[str, str]
"""Example id -> group; a row without one is a group of its own."""

# These are not about one example: the run has to stop.
_STOP = (Cancelled, Waiting, EnvironmentFailure)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the config's ``metrics``.

    Attributes:
        name: the entry's name in this run; the plugin's own where the config gives none.
        metric: the plugin, with its options.
    """

    name: str
    metric: Metric

    @property
    def prefix(self) -> str:
        """What precedes the metric's own score names in this run."""
        return "" if self.name == self.metric.name else f"{self.name}-"

    @property
    def score_names(self) -> tuple[str, ...]:
        """The run's names of the scores, in the order of the metric's last axis."""
        return tuple(f"{self.prefix}{name}" for name in self.metric.score_names())

    def column(self, score_name: str) -> int:
        """The place of a score on the metric's last axis.

        Raises:
            ValueError: this entry does not give that score.
        """
        return self.score_names.index(score_name)

    def aggregate(self, sums: stats.Floats, weights: stats.Floats) -> stats.Floats:
        """The metric's ``aggregate``, with its shape checked.

        Raises:
            PluginError: it raises, or gives another number of scores than it names.
        """
        expected = (*weights.shape, len(self.score_names))
        scores = self._guarded(partial(self.metric.aggregate, sums, weights), "aggregate")
        if scores.shape != expected:
            what = f"aggregate() gives the shape {scores.shape}, where {expected} is due"
            raise PluginError(what, where=f"metric {self.name}", hint=_SHAPES)
        return scores

    def own_values(self, statistics: stats.Floats) -> stats.Floats:
        """Each example's own scores ``(n, m)``; raises as :meth:`aggregate` does."""
        expected = (len(statistics), len(self.score_names))
        scores = self._guarded(partial(self.metric.values, statistics), "values")
        if scores.shape != expected:
            what = f"values() gives the shape {scores.shape}, where {expected} is due"
            raise PluginError(what, where=f"metric {self.name}", hint=_SHAPES)
        return scores

    def _guarded(self, call: partial[Any], what: str) -> stats.Floats:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(call(), dtype=np.float64)
        except _STOP:
            raise
        except Exception as error:
            problem = f"{what}() failed: {_reason(error)}"
            raise PluginError(problem, where=f"metric {self.name}", hint=_SHAPES) from error


_SHAPES = "one statistic for each score, or an aggregate() that turns them into score_names()"


def measure(entry: Entry, pairs: Sequence[Pair]) -> list[Measurement]:
    """What the metric says of each answer, in the order of ``pairs``.

    Own values that are not finite (a ratio of nothing) are left out of ``values``; the
    example's statistics still count.

    Raises:
        Cancelled, Waiting, EnvironmentFailure: what the metric raises to stop the run.
    """
    if not pairs:
        return []
    if not entry.metric.additive and not _overrides(entry.metric, "measure", "measure_all"):
        return [Measurement(example.id, entry.name, ()) for _, example in pairs]
    results = [_checked(raw) for raw in _results(entry.metric, pairs)]
    results = _same_length(results)
    values, failure = _own_values(entry, results)
    return [
        _measurement(entry, example.id, result, values.get(index, {}), failure)
        for index, ((_, example), result) in enumerate(zip(pairs, results, strict=True))
    ]


def scores(
    entry: Entry,
    measurements: Sequence[Measurement],
    groups: Groups,
    seed: int,
    *,
    pairs: Sequence[Pair] = (),
    draws: int = stats.DRAWS,
) -> dict[str, Score]:
    """The entry's scores over all measured examples, with 95 % intervals.

    Args:
        pairs: answers and examples; only a metric that is not additive needs them.

    Returns:
        score name -> score; its value is None where nothing is scored.

    Raises:
        PluginError: the metric fails on the whole set.
    """
    kept = sorted((m for m in measurements if m.statistics is not None), key=_by_id)
    unscored = len(measurements) - len(kept)
    if not kept:
        found = [stats.Interval(math.nan, None, None, None)] * len(entry.score_names)
    elif entry.metric.additive:
        names = [groups.get(m.example_id) or m.example_id for m in kept]
        found = stats.interval(entry.aggregate, table(kept), names, seed, draws=draws)
    else:
        found = _corpus(entry, {m.example_id for m in kept}, pairs)
    signature = entry.metric.signature()
    return {
        name: _score(name, one, len(kept), unscored, signature, entry.metric)
        for name, one in zip(entry.score_names, found, strict=True)
    }


def right(metric: Metric, value: float | None) -> bool | None:
    """Whether an example's own value counts as right; None where that cannot be said.

    An option ``right_at`` that is set goes before the class's attribute.
    """
    at = getattr(metric.options, "right_at", None)
    at = metric.right_at if at is None else at
    if at is None or value is None or math.isnan(value):
        return None
    return bool(value >= at) if metric.higher_is_better else bool(value <= at)


def table(measurements: Sequence[Measurement]) -> stats.Floats:
    """Statistics ``(n, k)`` of scored examples."""
    rows = [m.statistics for m in measurements if m.statistics is not None]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def _results(metric: Metric, pairs: Sequence[Pair]) -> list[Any]:
    """One raw result or exception per pair."""
    try:
        results: list[Any] = list(metric.measure_all(pairs))
        if len(results) == len(pairs):
            return results
        problem: Exception = ValueError(
            f"measure_all() gave {len(results)} results for {len(pairs)} examples"
        )
    except _STOP:
        raise
    except Exception as error:
        problem = error
    if not _overrides(metric, "measure"):
        return [problem] * len(pairs)
    return [_attempt(metric, *pair) for pair in pairs]


def _attempt(metric: Metric, prediction: Prediction, example: Example) -> Any:
    try:
        return metric.measure(prediction, example)
    except _STOP:
        raise
    except Exception as error:
        return error


def _checked(raw: Any) -> tuple[float, ...] | str:
    """Statistics, or why they are none. (No repr of objects: it may hold an address.)"""
    if raw is None:
        return "it gave None"
    if isinstance(raw, Exception):
        return _reason(raw)
    if isinstance(raw, (str, bytes)):
        return f"it gave a text where a number is due: {reprlib.repr(raw)}"
    try:
        items = _items(raw)
    except Exception as error:
        return f"it gave a {type(raw).__name__} where numbers are due ({_reason(error)})"
    if not items:
        return "it gave an empty list: no statistics"
    if not all(map(math.isfinite, items)):
        return f"it gave {reprlib.repr(items if len(items) > 1 else items[0])}: not finite"
    return tuple(items)


def _items(raw: Any) -> list[float]:
    if getattr(raw, "shape", None) == ():  # an array or tensor that holds one number
        raw = raw.item()
    if isinstance(raw, numbers.Real | np.bool_):
        return [float(raw)]
    if isinstance(raw, Mapping | Set):
        raise TypeError("their order is not fixed")
    items = list(raw)
    for item in items:
        if isinstance(item, (str, bytes)) or item is None:
            raise TypeError(f"one of them is a {type(item).__name__}")
    return [float(item) for item in items]


def _same_length(
    results: Sequence[tuple[float, ...] | str],
) -> list[tuple[float, ...] | str]:
    """The usual number of statistics is the right one; a row with another is refused."""
    lengths = Counter(len(r) for r in results if not isinstance(r, str))
    if len(lengths) < 2:
        return list(results)
    usual = lengths.most_common(1)[0][0]
    return [
        r
        if isinstance(r, str) or len(r) == usual
        else f"it gave {len(r)} numbers where other examples have {usual}"
        for r in results
    ]


def _own_values(
    entry: Entry, results: Sequence[tuple[float, ...] | str]
) -> tuple[dict[int, dict[str, float]], str]:
    """Place -> score name -> value, and why there are none if the metric fails at that."""
    places = [place for place, result in enumerate(results) if not isinstance(result, str)]
    if not places:
        return {}, ""
    statistics = np.array([results[place] for place in places], dtype=np.float64)
    try:
        rows = entry.own_values(statistics)
    except PluginError as error:
        return {}, error.what
    return {
        place: {
            name: float(value)
            for name, value in zip(entry.score_names, row, strict=True)
            if math.isfinite(value)
        }
        for place, row in zip(places, rows, strict=True)
    }, ""


def _measurement(
    entry: Entry,
    example_id: str,
    result: tuple[float, ...] | str,
    values: Mapping[str, float],
    failure: str,
) -> Measurement:
    reason = result if isinstance(result, str) else failure
    if reason:
        error = f"metric {entry.name}: {reason}"
        return Measurement(example_id, entry.name, None, error=error)
    return Measurement(example_id, entry.name, tuple(result), values)  # type: ignore[arg-type]


def _corpus(entry: Entry, scored: set[str], pairs: Sequence[Pair]) -> list[stats.Interval]:
    where = f"metric {entry.name}"
    chosen = [pair for pair in pairs if pair[1].id in scored]
    if len(chosen) != len(scored):
        raise ValueError(f"{where} is not additive: its score needs the answers")
    try:
        found = dict(entry.metric.corpus(chosen))
        values = [float(found[name]) for name in entry.metric.score_names()]
    except _STOP:
        raise
    except Exception as error:
        hint = "corpus() returns a number for each of score_names()"
        raise PluginError(f"corpus() failed: {_reason(error)}", where=where, hint=hint) from error
    return [stats.Interval(value, None, None, None) for value in values]


def _score(
    name: str, found: stats.Interval, n: int, unscored: int, signature: str, metric: Metric
) -> Score:
    value = found.value if math.isfinite(found.value) else None
    low, high = found.low, found.high
    if value is not None and low is not None and high is not None:
        least, most = metric.bounds
        low, high = min(max(low, least), value), max(min(high, most), value)
    return Score(name, value, low, high, n, unscored, signature, metric.higher_is_better)


def _overrides(metric: Metric, *methods: str) -> bool:
    return any(getattr(type(metric), m) is not getattr(Metric, m) for m in methods)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def _by_id(measurement: Measurement) -> str:
    return measurement.example_id
