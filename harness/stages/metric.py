"""The stage that scores answers: metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AllowInfNan

from harness.boundary.results import refused, returned
from harness.records import (
    Example,
    Prediction,
)
from harness.records.context import Report
from harness.stages.base import Plugin, check_attributes, signature_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


Bound = Annotated[float, AllowInfNan(True)]
"""The one number that may be infinite."""


class Metric(Plugin):
    """Scores answers.

    The least that a metric defines is :meth:`measure`. What it returns must *add up*: the
    core sums (weighted) statistics over examples and hands them to :meth:`aggregate`, which
    is how intervals and tests come for free.

    Attributes:
        higher_is_better: direction of all its scores.
        bounds: least and greatest possible value.
        right_at: an example whose own value is at least this good counts as right; None if
            the metric cannot say. An option called ``right_at`` overrides it.
        additive: False = no sufficient statistics; override :meth:`corpus`, no interval.
        needs_references: only for ``additive = False``: examples without any are left out.
        by_people: its values are what people said, so nothing is learned by comparing them.
    """

    stage = "metric"
    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[Bound, Bound]] = (0.0, 1.0)
    right_at: ClassVar[float | None] = None
    additive: ClassVar[bool] = True
    needs_references: ClassVar[bool] = False
    by_people: ClassVar[bool] = False

    def score_names(self) -> Sequence[str]:
        """Names of the scores, in the order of :meth:`aggregate`'s last axis."""
        return (self.name,)

    def signature(self) -> str:
        """What a reader needs to compare the numbers: name, version, options."""
        return signature_of(self)

    def ready(self, pairs: Sequence[tuple[Prediction, Example]]) -> None:
        """Told of all answers to a split before any of them is measured.

        Raises:
            Waiting: the metric needs people first.
            EnvironmentFailure: what it needs is not available here.
        """

    @staticmethod
    def progress(done: int, total: int, what: str) -> None:
        """Where :meth:`ready` says how far it is, if it takes long; the core sets it.

        Raises:
            Cancelled: the user pressed Ctrl-C.
        """

    def beside(
        self,
        own: Sequence[tuple[Prediction, Example]],
        others: Sequence[tuple[Prediction, Example]],
    ) -> Metric:
        """The metric that measures ``own`` answers for a comparison with ``others``.

        Mostly itself. Where people rate, only those who rated both answers can compare them; its
        :meth:`ready` may wait for such ratings.
        """
        return self

    def measure(self, prediction: Prediction, example: Example) -> float | Sequence[float] | None:
        """The example's sufficient statistics; None = not scored (never use 0 for that).

        Whatever it raises leaves this example unscored, with the reason recorded.
        """
        raise NotImplementedError

    def measure_all(
        self, pairs: Sequence[tuple[Prediction, Example]]
    ) -> Iterable[float | Sequence[float] | None]:
        """Statistics of many examples at once; override where a batch is faster.

        The core hands over blocks, perhaps to several processes: an example's statistics must
        not depend on which others are in its block.

        If it raises, the core falls back to :meth:`measure` for each, to find the culprit.
        """
        return [self.measure(prediction, example) for prediction, example in pairs]

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """Scores from weighted sums of statistics.

        Args:
            sums: ``(..., k)``: sums over examples of weight x statistic.
            weights: ``(...)``: sums of the weights.

        Returns:
            ``(..., m)`` with ``m = len(score_names())``; the default is the weighted mean.
        """
        return sums / weights[..., None]

    def values(self, statistics: Floats) -> Floats:
        """Each example's own scores ``(n, m)`` from its statistics ``(n, k)``."""
        import numpy as np

        return self.aggregate(statistics, np.ones(len(statistics)))

    def corpus(self, pairs: Sequence[tuple[Prediction, Example]]) -> Mapping[str, float]:
        """Only for ``additive = False``: score name -> value of the whole set."""
        raise NotImplementedError

    def fields(self) -> Sequence[str]:
        """The fields of ``meta`` that it reads and that may hold a list or an object in a file.

        They come as JSON text: ``meta`` is flat. ``harness score`` drops other such fields.
        """
        return ()

    def unscorable(self, rows: Sequence[Example], report: Report) -> Mapping[str, Sequence[str]]:
        """Rows that get no score whatever is answered: why -> their ids. Optional.

        Asked by ``harness data check``, before there is any answer.

        Args:
            report: is told of done, all, and what is done, if it takes long.

        Raises:
            EnvironmentFailure: it cannot be said here.
        """
        return {}

    def caveat(self) -> str:
        """A word or two that stands beside its scores wherever they are shown (*uncalibrated*).

        Empty where the scores can be taken as they are. It never waits for anybody.
        """
        return ""

    def remarks(self, pairs: Sequence[tuple[Prediction, Example]]) -> Sequence[str]:
        """What a reader of these scores has to know, in sentences with counts.

        Shown beside the scores, as "the tokenizer drops most of 12 of 200 texts".
        """
        return ()


def names_in_run(name: str, metric: Metric) -> tuple[str, ...]:
    """A run's names of a metric's scores, in the order of its last axis.

    Args:
        name: of the entry; where that is not the metric's own it stands before each score.
    """
    prefix = "" if name == metric.name else f"{name}-"
    return tuple(f"{prefix}{score}" for score in metric.score_names())


def check_metric(metric: Metric) -> None:
    """What a metric says of itself: its scores, direction, bounds.

    Raises:
        PluginError: it says something else than :class:`Metric` asks for.
    """
    names = returned(Metric.score_names, metric.score_names())
    if not names or len(set(names)) != len(names):
        raise refused("score_names() gives no name, or one twice")
    check_attributes(metric)
    if not metric.bounds[0] < metric.bounds[1]:
        raise refused("bounds is no pair of (least, greatest)")
