"""Measures many answers, in blocks of a fixed size, on all cores where that is worth while."""

from __future__ import annotations

import contextlib
import gc
import math
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np

from harness.errors import PluginError
from harness.records import Measurement
from harness.records.context import Report, silent
from harness.scoring import workers as spread
from harness.scoring.metric_entry import MetricEntry, Pair, overrides
from harness.scoring.outcomes import Outcome, outcomes
from harness.stages import Metric

BLOCK = 512
"""Answers handed to a metric at once, whatever the number of processes."""


def ready(metric: Metric, pairs: Sequence[Pair], progress: Report) -> None:
    """:meth:`Metric.ready`, which says by ``progress`` how far it is.

    Raises:
        Waiting: it needs people first.
        EnvironmentFailure: what it needs is not available here.
        Cancelled: ``progress`` says so.
    """
    # For the call only: it cannot go along to another process.
    vars(metric)["progress"] = progress
    try:
        metric.ready(pairs)
    finally:
        vars(metric).pop("progress", None)


def measure(
    entry: MetricEntry,
    pairs: Sequence[Pair],
    progress: Report = silent,
    *,
    workers: int | None = None,
) -> list[Measurement]:
    """What the metric says of each answer, in the order of ``pairs``.

    Own values that are not finite (a ratio of nothing) are left out of ``values``; the
    example's statistics still count.

    Args:
        progress: told of done and all answers after each block; what it raises ends the work.
        workers: maximum number of processes; by default as many as there are cores.

    Raises:
        PluginError: the metric says so, or fails on every single answer.
        Cancelled, Waiting, EnvironmentFailure: what the metric raises to stop the run.
    """
    if not pairs:
        return []
    if not entry.metric.additive and not overrides(entry.metric, "measure", "measure_all"):
        needed = entry.metric.needs_references
        return [
            Measurement(row.id, entry.name, () if row.references or not needed else None)
            for _, row in pairs
        ]
    results: list[Outcome] = []
    outcome_blocks = _blocks(entry.metric, pairs, workers)
    with rare_collections(), contextlib.closing(outcome_blocks) as blocks:
        for block in blocks:
            results += block
            progress(len(results), len(pairs), "")
    results = _same_length(results)
    values, failure = _own_values(entry, results)
    measured = [
        _measurement(entry, example.id, result, values.get(index, {}), failure)
        for index, ((_, example), result) in enumerate(zip(pairs, results, strict=True))
    ]
    if all(m.error for m in measured):
        # Mostly a missing package or service: no result, and nothing to keep.
        raise PluginError(f"no answer could be scored: {measured[0].error}")
    return measured


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Within it the garbage collector looks for cycles seldom: scoring hardly makes any."""
    before = gc.get_threshold()
    gc.set_threshold(*spread.RARE)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _blocks(
    metric: Metric, pairs: Sequence[Pair], workers: int | None
) -> Generator[Sequence[Outcome], None, None]:
    """The outcomes of each block: here, until it is plain that this would take long."""
    blocks = [pairs[start : start + BLOCK] for start in range(0, len(pairs), BLOCK)]
    for place, block in enumerate(blocks):
        begin = time.monotonic()
        yield outcomes(metric, block)
        remaining = (time.monotonic() - begin) * (len(blocks) - place - 1)
        # The first block also pays for what the metric loads, so it says nothing.
        if place and spread.is_worth(remaining, workers):
            yield from spread.outcomes(metric, blocks[place + 1 :], workers)
            return


def _same_length(results: Sequence[Outcome]) -> list[Outcome]:
    """The usual number of statistics is the right one; a row with another is refused."""
    lengths = Counter(len(r) for r in results if isinstance(r, tuple))
    if len(lengths) < 2:
        return list(results)
    usual = lengths.most_common(1)[0][0]
    return [
        r
        if not isinstance(r, tuple) or len(r) == usual
        else f"it gave {len(r)} numbers where other examples have {usual}"
        for r in results
    ]


def _own_values(
    entry: MetricEntry, results: Sequence[Outcome]
) -> tuple[dict[int, dict[str, float]], str]:
    """Place -> score name -> value, and why there are none if the metric fails at that."""
    places = [place for place, result in enumerate(results) if isinstance(result, tuple)]
    if not places:
        return {}, ""
    statistics = np.array([results[place] for place in places], dtype=np.float64)
    try:
        rows = entry.own_values(statistics)
    except PluginError as error:
        return {}, error.what
    names = entry.score_names
    # Values that are not finite are left out; the statistics of their rows count all the same.
    return {
        place: {
            name: float(value)
            for name, value in zip(names, row, strict=True)
            if math.isfinite(value)
        }
        for place, row in zip(places, rows, strict=True)
    }, ""


def _measurement(
    entry: MetricEntry,
    example_id: str,
    result: Outcome,
    values: Mapping[str, float],
    failure: str,
) -> Measurement:
    if result is None:
        return Measurement(example_id, entry.name, None)
    reason = result if isinstance(result, str) else failure
    if isinstance(result, str) or reason:
        return Measurement(example_id, entry.name, None, error=f"metric {entry.name}: {reason}")
    return Measurement(example_id, entry.name, result, values)
