"""Measuring in several processes. The values are those of one, whatever their number.

A process is given the metric as a recipe (its class and its options), makes it anew, and runs
the very function that is run here, on the same blocks.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import EnvironmentFailure
from harness.kit import gate
from harness.scoring import outcomes as answers
from harness.scoring.metric_entry import MetricEntry, Pair
from harness.scoring.outcomes import Outcome
from harness.stages import Metric

RARE = (200_000, 50, 1_000)
"""Thresholds of the collector while scoring, which makes millions of small objects and hardly a
cycle."""

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>

Recipe = tuple[str, str | None, str, str]
"""Module, its file, the class's name in it, and its options as JSON."""


WORTH = 3.0
"""Seconds of work left from which processes, which take time to start, are a gain."""

WORTH_READY = 0.5
"""The same once they have been started ahead."""

_ready: set[int] = set()
_pools: dict[int, Any] = {}


@contextlib.contextmanager
def scoring_processes(
    ahead: Sequence[MetricEntry] = (), workers: int | None = None
) -> Iterator[None]:
    """Within it :func:`harness.evaluate` keeps its processes; at the end they are let go.

    Args:
        ahead: metrics for which the processes are started at once, while files are read and the
            first answers measured; for work that is surely large.
        workers: maximum number of processes; by default as many as there are cores.
    """
    try:
        if ahead:
            _prepare(ahead, workers)
        yield
    finally:
        _finish()


def _prepare(entries: Sequence[MetricEntry], workers: int | None) -> None:
    import loky

    count = loky.cpu_count() if workers is None else workers
    recipes = [recipe for entry in entries if (recipe := recipe_of(entry.metric)) is not None]
    if count < 2 or not recipes:
        return
    pool = _pool(count)
    for _ in range(count):
        for recipe in recipes:
            pool.submit(_elsewhere, recipe, ())
    _ready.add(count)


def _pool(count: int) -> Any:
    """The processes, which are used again as long as this one lives."""
    import loky

    _pools[count] = loky.get_reusable_executor(count, initializer=_follow)
    return _pools[count]


def _finish() -> None:
    """Let the processes go without waiting for them: a command that is done ends at once."""
    for pool in _pools.values():
        pool.shutdown(wait=False, kill_workers=True)
    _pools.clear()
    _ready.clear()


def is_worth(seconds: float, workers: int | None) -> bool:
    """Whether so much work left is done sooner by several processes."""
    if not _ready:
        return seconds > WORTH
    import loky

    count = loky.cpu_count() if workers is None else workers
    return seconds > (WORTH_READY if count in _ready else WORTH)


def outcomes(
    metric: Metric, blocks: Sequence[Sequence[Pair]], workers: int | None
) -> Iterator[Sequence[Outcome]]:
    """The outcomes of each block, in order.

    A metric that cannot be made anew elsewhere (a class within a function) is run here.

    Raises:
        EnvironmentFailure: a process was killed, as happens when memory runs out.
    """
    import loky

    count = loky.cpu_count() if workers is None else workers
    recipe = recipe_of(metric)
    if min(count, len(blocks)) < 2 or recipe is None:
        yield from (answers.outcomes(metric, block) for block in blocks)
        return
    pool = _pool(count)
    waiting: deque[Any] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(_elsewhere, recipe, block))
            if len(waiting) > 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except loky.BrokenProcessPool as error:
        raise EnvironmentFailure(
            "a process that scored answers was killed",
            where=f"metric {metric.name}",
            hint="if memory ran out, score with --workers 1",
        ) from error
    finally:
        for future in waiting:
            future.cancel()


def recipe_of(metric: Metric) -> Recipe | None:
    """How to make the metric in another process; None if that gives another one, or none."""
    kind = type(metric)
    module = sys.modules.get(kind.__module__)
    if module is None or "<locals>" in kind.__qualname__ or kind.__module__ == "__main__":
        return None
    options = metric.options.model_dump_json()
    recipe = (kind.__module__, getattr(module, "__file__", None), kind.__qualname__, options)
    try:
        same = type(metric.options).model_validate_json(options) == metric.options
    except ValueError:
        same = False
    return recipe if same else None


def _follow() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the one that gave out the work,
    and end with it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*RARE)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _elsewhere(recipe: Recipe, block: Sequence[Pair]) -> list[Outcome]:
    return answers.outcomes(_made(recipe), block)


@functools.lru_cache(maxsize=32)
def _made(recipe: Recipe) -> Metric:
    name, file, qualified, options = recipe
    kind: Any = functools.reduce(getattr, qualified.split("."), _module(name, file))
    metric: Metric = kind(kind.Options.model_validate_json(options))
    return metric


def _module(name: str, file: str | None) -> Any:
    """The module of that name, read from its file where it is not to be found by name."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if not file:
            raise
        return gate.import_file(name, Path(file), by="a worker of scoring")
