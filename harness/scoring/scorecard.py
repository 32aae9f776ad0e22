"""One system's answers measured: what :func:`harness.evaluate` gives."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.boundary.calls import aloud, plainly
from harness.boundary.lending import Lent
from harness.data.splits import groups_of
from harness.errors import DataError, Waiting
from harness.kit.blocks import Note, table
from harness.kit.numbers import interval, number
from harness.records import Example, Measurement, Prediction, Score
from harness.records.context import Report, silent
from harness.scoring.measuring import measure, ready
from harness.scoring.metric_entry import Groups, MetricEntry
from harness.scoring.totals import scores

SEED = 7
"""Of the resampling, where none is given."""


@dataclass(frozen=True)
class Scorecard:
    """A system's answers, what the metrics say of each, and its scores: a table in a notebook.

    Attributes:
        examples, predictions: in the same order.
        metrics: by which the answers were measured.
        measurements: metric entry -> a measurement for each example, in that order.
        seed: of the resampling.
    """

    examples: Sequence[Example]
    predictions: Sequence[Prediction]
    metrics: Sequence[MetricEntry]
    measurements: Mapping[str, Sequence[Measurement]]
    seed: int = SEED

    @functools.cached_property
    def groups(self) -> Groups:
        """Example id -> its group; rows without one are groups of their own."""
        return groups_of(self.examples)

    @functools.cached_property
    def scores(self) -> Mapping[str, Score]:
        """Score name -> score over all examples, with its 95 % interval, clustered by group.

        Raises:
            PluginError: a metric fails on the whole set.
        """
        pairs = list(zip(self.predictions, self.examples, strict=True))
        totals: dict[str, Score] = {}
        for entry in self.metrics:
            measured = self.measurements[entry.name]
            totals |= scores(entry, measured, self.groups, self.seed, pairs=pairs)
        return totals

    @property
    def values(self) -> Mapping[str, Mapping[str, float]]:
        """Example id -> score name -> the answer's own value; what has none is left out."""
        own: dict[str, dict[str, float]] = {row.id: {} for row in self.examples}
        for measured in self.measurements.values():
            for measurement in measured:
                own[measurement.example_id] |= measurement.values
        return own

    def remarks(self) -> list[str]:
        """What the metrics tell their reader, and which answers could not be scored and why."""
        pairs = list(zip(self.predictions, self.examples, strict=True))
        sentences = []
        for entry in self.metrics:
            sentences += [f"{entry.name}: {remark}" for remark in entry.remarks(pairs)]
            failed = [m for m in self.measurements[entry.name] if m.error]
            if failed:
                sentences.append(
                    f"{entry.name}: {len(failed)} of {len(pairs)} answers could not be scored, "
                    f"first '{failed[0].example_id}': {failed[0].error}"
                )
        return sentences

    def _repr_html_(self) -> str:
        """Its scores as a table, and the remarks, for a notebook."""
        from harness.kit.html.notebook import in_notebook

        titles = ("score", "value", "95 % interval", "answers", "not scored")
        rows = [
            (score.name, number(score.value, 3), interval(score.low, score.high), score.n,
             score.unscored)
            for score in self.scores.values()
        ]  # fmt: skip
        scores = table(titles, rows, right=titles[1:], caption="scores with their intervals")
        return in_notebook([scores, *map(Note, self.remarks())])

    def part(self, ids: Collection[str]) -> Scorecard:
        """The same on the examples of these ids alone; nothing is measured again."""
        chosen = set(ids)
        places = [place for place, row in enumerate(self.examples) if row.id in chosen]
        return Scorecard(
            [self.examples[place] for place in places],
            [self.predictions[place] for place in places],
            self.metrics,
            {
                name: [measured[place] for place in places]
                for name, measured in self.measurements.items()
            },
            self.seed,
        )


def _unwatched(metric: str) -> Report:
    return silent


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    metrics: Sequence[MetricEntry],
    *,
    seed: int = SEED,
    workers: int | None = None,
    progress: Callable[[str], Report] = _unwatched,
) -> Scorecard:
    """Measure a system's answers by every metric.

    Args:
        predictions: one for each example, in any order.
        metrics: as :func:`harness.make_metrics` makes them.
        seed: of the resampling, from which intervals come.
        workers: maximum number of processes, by default one for each core. The values do not depend
            on it.
        progress: called with a metric's name as it begins; what it returns is told of done and
            all answers.

    Raises:
        DataError: an example has no prediction or two, or a prediction has no example.
        PluginError: a metric says so, or fails on every single answer.
        EnvironmentFailure: what a metric needs is not available here.
    """
    ordered = _in_order(examples, predictions)
    pairs = tuple(zip(ordered, examples, strict=True))
    measurements, lent = {}, Lent(ordered, examples)
    for entry in metrics:
        call = plainly(f"metric {entry.name}", aloud, lent=lent)
        report = call.calls.hearing(progress(entry.name))
        with call:
            with contextlib.suppress(Waiting):  # what people have not rated yet is not scored
                ready(entry.metric, pairs, report)
            measurements[entry.name] = measure(entry, pairs, report, workers=workers)
    return Scorecard(examples, ordered, metrics, measurements, seed)


def _in_order(
    examples: Sequence[Example], predictions: Sequence[Prediction]
) -> Sequence[Prediction]:
    """The predictions in the order of the examples."""
    ids = [row.id for row in examples]
    answered = [prediction.example_id for prediction in predictions]
    if len(set(ids)) < len(ids) or len(set(answered)) < len(answered):
        raise DataError("two examples, or two predictions, have the same id")
    if ids == answered:
        return predictions
    by_id = dict(zip(answered, predictions, strict=True))
    if by_id.keys() != set(ids):
        missing, surplus = len(set(ids) - by_id.keys()), len(by_id.keys() - set(ids))
        raise DataError(
            f"{missing} examples have no prediction, and {surplus} predictions have no example",
            hint="give a harness.Prediction with the example's id for each example",
        )
    return [by_id[name] for name in ids]
