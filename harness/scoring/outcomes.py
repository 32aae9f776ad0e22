"""One block of answers through a metric: numbers, or why there are none.

A metric is somebody else's code. Whatever it raises or returns for one example, that example
alone is left unscored, with the reason, and the others stand.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from harness.errors.machine import raise_trouble
from harness.records import Example, Prediction
from harness.scoring.metric_entry import STOPS_SCORING, Pair, overrides, reason
from harness.stages import Metric

Outcome = tuple[float, ...] | str | None
"""The statistics of one answer, the reason why it has none, or None: not to be scored."""


def outcomes(metric: Metric, pairs: Sequence[Pair]) -> list[Outcome]:
    """What the metric gives for each of a block of answers.

    Raises:
        Cancelled, Waiting, EnvironmentFailure, PluginError: what the metric raises to stop.
    """
    return [outcome_of(raw) for raw in _results(metric, pairs)]


def _results(metric: Metric, pairs: Sequence[Pair]) -> list[Any]:
    """One raw result or exception per pair."""
    try:
        results: list[Any] = list(metric.measure_all(pairs))
        if len(results) == len(pairs):
            return results
        problem: BaseException = ValueError(
            f"measure_all() gave {len(results)} results for {len(pairs)} examples"
        )
    except STOPS_SCORING:
        raise
    except BaseException as error:
        raise_trouble(error)
        problem = error
    if not overrides(metric, "measure"):
        return [problem] * len(pairs)
    return [_attempt(metric, *pair) for pair in pairs]


def _attempt(metric: Metric, prediction: Prediction, example: Example) -> Any:
    try:
        return metric.measure(prediction, example)
    except STOPS_SCORING:
        raise
    except BaseException as error:
        raise_trouble(error)
        return error


def outcome_of(raw: Any) -> Outcome:
    """Statistics, or why they are none. (No repr of objects: it may hold an address.)"""
    if raw is None:
        return None
    if isinstance(raw, BaseException):
        return reason(raw)
    if isinstance(raw, (str, bytes)):
        return f"it gave a text where a number is due: {reprlib.repr(raw)}"
    try:
        items = _items(raw)
    except STOPS_SCORING:
        raise
    except BaseException as error:
        return f"it gave a {type(raw).__name__} where numbers are due ({reason(error)})"
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
