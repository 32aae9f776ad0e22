"""The calls that find out how good a checkpoint is: generate, score, name the errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.engine.at import At
from harness.engine.pins import DETECT, GENERATE
from harness.engine.steps.base import StageCaller
from harness.engine.steps.detecting import Detecting
from harness.engine.steps.generating import Generating
from harness.engine.steps.measuring import Measuring
from harness.errors import Waiting
from harness.records import (
    Checkpoint,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    Score,
    ScoredExample,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One checkpoint on one split.

    Attributes:
        measurements: metric entry -> one measurement per example.
        scores: score name -> score of the split.
        scored: the examples with answers and values.
        labels: kinds of errors found.
        keys: stage -> artifact digest.
    """

    predictions: tuple[Prediction, ...]
    measurements: Mapping[str, tuple[Measurement, ...]]
    scores: Mapping[str, Score]
    scored: tuple[ScoredExample, ...]
    labels: tuple[ErrorLabel, ...]
    keys: Mapping[str, str]

    @property
    def errors(self) -> dict[str, int]:
        """Category -> number of answers, the most frequent first."""
        answers = {(label.category, label.example_id) for label in self.labels}
        kinds = Counter(category for category, _ in answers)
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


class Evaluating:
    """A checkpoint's answers with their scores and kinds of errors."""

    def __init__(
        self,
        caller: StageCaller,
        generating: Generating,
        measuring: Measuring,
        detecting: Detecting,
    ) -> None:
        self.caller = caller
        self.generating, self.measuring, self.detecting = generating, measuring, detecting

    def evaluate(
        self,
        checkpoint: Checkpoint,
        rows: Sequence[Example],
        at: At,
        *,
        learned: Sequence[Example] = (),
        against: int | None = None,
        pinned: Mapping[str, str] | None = None,
    ) -> Evaluation:
        """Generate, score and label one checkpoint's answers to one split.

        Args:
            learned: the rows that the checkpoint was trained on.
            against: the round that it will be compared with.
            pinned: what the round was closed with; it keeps these answers, measurements, labels.
        """
        pinned = pinned or {}
        pin = pinned.get(GENERATE)
        predictions, generated = self.generating.generate(checkpoint, rows, at, pinned=pin)
        if pin not in (None, generated):
            raise self.caller.run.mismatch(at.on_split(GENERATE), at)
        try:
            measurements, digests = self.measuring.score_all(
                predictions, generated, rows, at, pinned
            )
        except Waiting as wait:
            raise self.measuring.waits(wait, generated, at, against) from None
        scored = scored_rows(rows, predictions, measurements)
        labels, detected = self.detecting.detect(
            scored, learned, [generated, *digests.values()], at, pinned=pinned.get(DETECT)
        )
        metrics = self.caller.config.metrics
        scores = self.measuring.scores(metrics, measurements, predictions, rows, digests, at)
        of_scores = {f"score {name}": digest for name, digest in digests.items()}
        keys = {GENERATE: generated, **of_scores, DETECT: detected}
        return Evaluation(predictions, measurements, scores, scored, labels, keys)


def scored_rows(
    rows: Sequence[Example],
    predictions: Sequence[Prediction],
    measurements: Mapping[str, Sequence[Measurement]],
) -> tuple[ScoredExample, ...]:
    """Each row with its answer and all values of that."""
    values: list[dict[str, float | None]] = [{} for _ in rows]
    for of_metric in measurements.values():
        names = sorted({name for measurement in of_metric for name in measurement.values})
        for place, measurement in enumerate(of_metric):
            values[place] |= {name: measurement.values.get(name) for name in names}
    return tuple(
        ScoredExample(row, prediction, own)
        for row, prediction, own in zip(rows, predictions, values, strict=True)
    )
