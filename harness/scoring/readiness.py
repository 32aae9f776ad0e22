"""Before anything is measured: a metric is told of all answers, and may ask for what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.scoring.metric_entry import Pair
from harness.stages import Metric


def ready(metric: Metric, pairs: Sequence[Pair], progress: Callable[[int, int, str], None]) -> None:
    """:meth:`Metric.ready`, which says by ``progress`` how far it is.

    Raises:
        Waiting: it needs people first.
        EnvironmentFailure: what it needs cannot be had here.
        Cancelled: ``progress`` says so.
    """
    # For the call only: it cannot go along to another process.
    vars(metric)["progress"] = progress
    try:
        metric.ready(pairs)
    finally:
        vars(metric).pop("progress", None)
