"""A metric as a run names it, with its scores' names and its arithmetic guarded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from harness import errors, stats
from harness.boundary.calls import aloud, plainly
from harness.boundary.lending import Lent
from harness.boundary.results import checked
from harness.errors import STOPPING, ConfigError, EnvironmentFailure, PluginError
from harness.errors.machine import raise_trouble
from harness.kit.text import one_line, titled
from harness.records import Example, Prediction
from harness.records.context import Report, silent
from harness.stages import Metric
from harness.stages.metric import names_in_run

Pair = tuple[Prediction, Example]
Groups = Mapping[str, str]
"""Example id -> group; a row without one is a group of its own."""

STOPS_SCORING = (*STOPPING, ConfigError, EnvironmentFailure, PluginError)
"""Not about one example: the run has to stop."""

CAVEAT = 40
"""Characters of a caveat."""
REASON = 300
"""Characters of why a row gets no score."""


def group_names(groups: Groups, ids: Iterable[str]) -> list[str]:
    """Each example's group, its own id where it has none."""
    return [groups.get(name) or name for name in ids]


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """One entry of the config's ``metrics``.

    Attributes:
        name: the entry's name in this run; the plugin's own where the config gives none.
        metric: the plugin, with its options.
        doubt: what stands beside its scores whatever the metric says; mostly empty.
    """

    name: str
    metric: Metric
    doubt: str = ""

    @property
    def score_names(self) -> tuple[str, ...]:
        """The run's names of the scores, in the order of the metric's last axis."""
        names: tuple[str, ...] = self._called(
            partial(names_in_run, self.name, self.metric), "score_names"
        )
        return names

    def column(self, score_name: str) -> int:
        """The place of a score on the metric's last axis.

        Raises:
            ValueError: this entry does not give that score.
        """
        return self.score_names.index(score_name)

    def signature(self) -> str:
        """The metric's; raises PluginError where that is no text."""
        signature = self._called(self.metric.signature, "signature")
        if not isinstance(signature, str):
            raise PluginError(f"signature() gives a {type(signature).__name__}", where=self._where)
        return signature

    def caveat(self) -> str:
        """The metric's, and the run's, in one line; raises PluginError where that is no text."""
        caveat = self._called(self.metric.caveat, "caveat")
        if not isinstance(caveat, str):
            raise PluginError(f"caveat() gives a {type(caveat).__name__}", where=self._where)
        return one_line("; ".join(part for part in (self.doubt, caveat) if part), CAVEAT)

    def titled(self, score_name: str) -> str:
        """A score's name as people read it, with its caveat."""
        return titled(score_name, self.caveat())

    def remarks(self, pairs: Sequence[Pair]) -> list[str]:
        """The metric's; raises PluginError where they are no texts."""
        remarks = self._called(partial(self.metric.remarks, pairs), "remarks")
        with plainly(self._where):
            return list(checked(tuple[str, ...], remarks, "remarks()"))

    def fields(self) -> Sequence[str]:
        """The metric's; raises PluginError where they are no texts."""
        fields = self._called(self.metric.fields, "fields")
        with plainly(self._where):
            return list(checked(tuple[str, ...], fields, "fields()"))

    def unscorable(
        self, rows: Sequence[Example], report: Report = silent
    ) -> Mapping[str, Sequence[str]]:
        """The metric's, in one line each; raises PluginError where that is no mapping of ids."""
        call = plainly(self._where, aloud, lent=Lent(rows))
        with call:
            given = self.metric.unscorable(rows, call.calls.hearing(report))
            reasons = checked(Mapping[str, tuple[str, ...]], given, "unscorable()")
            return {one_line(why, REASON): of for why, of in reasons.items()}

    @property
    def _where(self) -> str:
        return f"metric {self.name}"

    def corpus(self, pairs: Sequence[Pair]) -> list[float]:
        """The metric's, in the order of its scores; raises PluginError where one is missing."""

        def in_order() -> list[float]:
            by_name = dict(self.metric.corpus(pairs))
            return [float(by_name[name]) for name in self.metric.score_names()]

        hint = "corpus() returns a number for each of score_names()"
        values: list[float] = self._called(in_order, "corpus", hint)
        return values

    def _called(self, call: Callable[[], Any], what: str, hint: str = "") -> Any:
        with plainly(self._where):
            try:
                return call()
            except STOPS_SCORING:
                raise
            except BaseException as error:
                raise_trouble(error)
                raise PluginError(f"{what}() failed: {reason(error)}", hint=hint) from error

    def aggregate(self, sums: stats.Floats, weights: stats.Floats) -> stats.Floats:
        """The metric's ``aggregate``, with its shape checked.

        Raises:
            PluginError: it raises, or gives another number of scores than it names.
        """
        expected = (*weights.shape, len(self.score_names))
        scores = self._guarded(partial(self.metric.aggregate, sums, weights), "aggregate")
        if scores.shape != expected:
            what = f"aggregate() gives the shape {scores.shape}, where {expected} is due"
            raise PluginError(what, where=self._where, hint=_SHAPES)
        return scores

    def own_values(self, statistics: stats.Floats) -> stats.Floats:
        """Each example's own scores ``(n, m)``; raises as :meth:`aggregate` does."""
        expected = (len(statistics), len(self.score_names))
        scores = self._guarded(partial(self.metric.values, statistics), "values")
        if scores.shape != expected:
            what = f"values() gives the shape {scores.shape}, where {expected} is due"
            raise PluginError(what, where=self._where, hint=_SHAPES)
        return scores

    def _guarded(self, call: partial[Any], what: str) -> stats.Floats:
        def as_floats() -> stats.Floats:
            with np.errstate(all="ignore"):  # a ratio of nothing is NaN, which callers look for
                return np.asarray(call(), dtype=np.float64)

        values: stats.Floats = self._called(as_floats, what, _SHAPES)
        return values


_SHAPES = "one statistic for each score, or an aggregate() that turns them into score_names()"


def reason(error: BaseException) -> str:
    return errors.reason(error, 300)


def overrides(metric: Metric, *methods: str) -> bool:
    """Whether the metric's class defines one of these methods itself."""
    return any(getattr(type(metric), m) is not getattr(Metric, m) for m in methods)
