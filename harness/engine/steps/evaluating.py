"""The calls that find out how good a checkpoint is: generate, score, name the errors."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary import results
from harness.data.splits import rows_digest
from harness.engine.pins import DETECT, GENERATE, MODEL, TRAIN
from harness.engine.steps.calls import STOP, label, on
from harness.engine.steps.measuring import Measuring
from harness.errors import EnvironmentFailure, HarnessError, Waiting
from harness.kit.files import read_jsonl, write_jsonl
from harness.records import (
    BASE_ARM,
    Checkpoint,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    Score,
    ScoredExample,
    from_json,
    to_json,
)
from harness.stages import Metric

UNEXPLAINED = "unexplained"


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
        found = Counter((label.category, label.example_id) for label in self.labels)
        kinds = Counter(category for category, _ in found)
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


class Evaluating(Measuring):
    """Answers, scores and kinds of errors."""

    def evaluate(
        self, checkpoint: Checkpoint, rows: Sequence[Example], split: str, round_: int, arm: str,
        *, learned: Sequence[Example] = (), against: int | None = None,
        pinned: Mapping[str, str] | None = None,
    ) -> Evaluation:  # fmt: skip
        """Generate, score and label one checkpoint's answers to one split.

        Args:
            learned: the rows that the checkpoint was trained on.
            against: the round that it will be compared with.
            pinned: what the round was closed with; it keeps these answers, measurements, labels.
        """
        pinned = pinned or {}
        predictions, generated = self._answers(checkpoint, rows, split, round_, arm, pinned)
        try:
            measurements, digests = self._measured(
                predictions, generated, rows, split, round_, arm, pinned
            )
        except Waiting as wait:
            raise self._asked(wait, generated, round_, arm, against) from None
        scored = _scored(rows, predictions, measurements)
        made_from = [generated, *digests.values()]
        labels, detected = self._detect(scored, learned, made_from, split, round_, arm, pinned)
        scores = self.scores(
            self.config.metrics, measurements, predictions, rows, digests, round_, arm
        )
        keys = {
            GENERATE: generated, **{f"score {n}": d for n, d in digests.items()},
            DETECT: detected,
        }  # fmt: skip
        return Evaluation(predictions, measurements, scores, scored, labels, keys)

    def _answers(
        self, checkpoint: Checkpoint, rows: Sequence[Example], split: str, round_: int, arm: str,
        pinned: Mapping[str, str],
    ) -> tuple[tuple[Prediction, ...], str]:  # fmt: skip
        """Answers and their digest, those of a closed round as it was closed.

        Where an earlier version did not pin the checkpoint, only that this one gives the same
        answers shows that it is the one that was judged.
        """
        stands = TRAIN in pinned or MODEL in pinned
        wanted = pinned.get(GENERATE)
        predictions, generated = self.generate(
            checkpoint, rows, split, round_, arm, pinned=wanted if stands else None
        )
        if wanted not in (None, generated):
            raise self.run.mismatch(on(split, GENERATE), round_, arm)
        return predictions, generated

    def compared(
        self, new: Evaluation, old: Evaluation, rows: Sequence[Example], round_: int, arm: str,
        against: int,
    ) -> tuple[Evaluation, Evaluation]:  # fmt: skip
        """Two checkpoints' answers to dev, measured for comparing them.

        What people said is compared as they say it by now, by those who rated both answers. What
        was measured with other versions of a metric's libraries is measured again, so that no
        comparison mixes two; the older round's own scores stay.

        Args:
            round_, arm: of ``new``; ``against`` is the round of ``old``.

        Raises:
            Waiting: too few answers are rated beside the others.
        """
        pairs = [list(zip(one.predictions, rows, strict=True)) for one in (new, old)]
        measured = [dict(one.measurements) for one in (new, old)]
        measured[1] |= self._scored_again(old, rows, against, arm if against else BASE_ARM)
        for entry in self.config.metrics:
            with self.run.guard("score", entry, round_, arm):
                beside = [
                    results.instance_of(
                        Metric, entry.instance.beside(pairs[n], pairs[1 - n]), "beside()"
                    )
                    for n in (0, 1)
                ]
            if beside[0] is entry.instance:
                continue
            try:
                for place, metric in enumerate(beside):
                    found = self._beside(entry, metric, pairs[place], round_, arm)
                    measured[place][entry.name] = found
            except Waiting as wait:
                raise self._asked(wait, new.keys["generate"], round_, arm, against) from None
        return (
            dataclasses.replace(new, measurements=measured[0]),
            dataclasses.replace(old, measurements=measured[1]),
        )

    def _scored_again(
        self, old: Evaluation, rows: Sequence[Example], round_: int, arm: str
    ) -> dict[str, tuple[Measurement, ...]]:
        """Metric entry -> measurements of ``old``, where its libraries have changed since."""
        found = {}
        for entry in self.config.metrics:
            before = self.made_with.get(old.keys[f"score {entry.name}"])
            now = dict(self.run.versions(entry))
            if before is None or before["libraries"] == now:
                continue
            found[entry.name], _ = self.score(
                entry, old.predictions, old.keys["generate"], rows, "dev", round_, arm
            )
            self.note(
                f"{entry.name}: round {round_} was measured with {_named(before['libraries'])}; "
                f"for comparisons it is measured again with {_named(now)}, as later rounds are"
            )
        return found

    def same_machine(self, old: Evaluation, round_: int) -> None:
        """Refuse to compare answers that other libraries or another machine gave.

        Args:
            old, round_: the answers that the next round's will be compared with.

        Raises:
            EnvironmentFailure: what generates now differs from what generated them.
        """
        before = self.made_with.get(old.keys["generate"])
        now = self.run.made_with(self.config.generate)
        if before is None or before == now:
            return
        raise EnvironmentFailure(
            f"round {round_} was answered with {_named(_flat(before))}; here it would be "
            f"{_named(_flat(now))}, and answers that were made differently cannot be compared",
            where=f"{self.run.name}, round {round_}: generate",
            hint="go on with what it began with, or take one of these ways",
            details=self.run.ways_out(round_),
        )

    def _detect(
        self, scored: Sequence[ScoredExample], learned: Sequence[Example], inputs: Sequence[str],
        split: str, round_: int, arm: str, pinned: Mapping[str, str],
    ) -> tuple[tuple[ErrorLabel, ...], str]:  # fmt: skip
        """The kinds of errors of all answers, and the digest of what the detectors found.

        Wrong answers that show no kind are *unexplained*.
        """
        stage = on(split, "detect")
        keys = [self.run.key_of(entry) for entry in self.config.detect]

        def make(folder: Path) -> Mapping[str, Any]:
            labels: list[ErrorLabel] = []
            failed = {}
            for entry in self.config.detect:
                try:
                    with self.run.guard(stage, entry, round_, arm):
                        results.categories(entry.instance.categories())
                        entry.instance.prepare(learned)
                        for row in scored:
                            labels += results.labels(entry.instance.detect(row), row.example.id)
                except STOP:
                    raise
                except HarnessError as error:
                    failed[entry.name] = error.what
            write_jsonl(folder / "output" / "labels.jsonl", map(to_json, labels))
            return {"failed": failed}

        rows = rows_digest([row.example for row in scored])
        known = {"detectors": keys, "rows": rows, "from": list(inputs)}
        known["learned"] = rows_digest(learned)
        made = self.run.stage(
            stage, None, known, make, round_=round_, arm=arm, pinned=pinned.get(DETECT)
        )
        for name, reason in made.facts["failed"].items():
            self.note(f"{label(stage, round_, arm)}: detector '{name}' failed: {reason}")
        lines = read_jsonl(made.path / "labels.jsonl")
        labels = tuple(from_json(ErrorLabel, line) for line in lines)
        return (*labels, *_unexplained(self.right(scored), labels)), made.digest

    def malformed(self) -> frozenset[str]:
        """The kinds of errors that mean that an answer has not the form that was asked for."""
        found: set[str] = set()
        for entry in self.config.detect:
            with self.run.guard("detect", entry, 0, BASE_ARM):
                found.update(entry.instance.malformed())
        return frozenset(found)

    def right(self, scored: Sequence[ScoredExample]) -> dict[str, bool | None]:
        """Example id -> whether its answer counts as right by the primary score."""
        from harness import scoring

        name, metric = self.config.settings.primary, self.primary_entry().metric
        return {row.example.id: scoring.right(metric, row.values.get(name)) for row in scored}


def _flat(made_with: Mapping[str, Any]) -> dict[str, str]:
    return {**made_with["environment"], **made_with["libraries"]}


def _named(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "nothing named"


def _scored(
    rows: Sequence[Example],
    predictions: Sequence[Prediction],
    measurements: Mapping[str, Sequence[Measurement]],
) -> tuple[ScoredExample, ...]:
    values: list[dict[str, float | None]] = [{} for _ in rows]
    for found in measurements.values():
        names = sorted({name for m in found for name in m.values})
        for place, measurement in enumerate(found):
            values[place] |= {name: measurement.values.get(name) for name in names}
    return tuple(
        ScoredExample(row, prediction, own)
        for row, prediction, own in zip(rows, predictions, values, strict=True)
    )


def _unexplained(
    right: Mapping[str, bool | None], labels: Sequence[ErrorLabel]
) -> Iterator[ErrorLabel]:
    """Wrong answers that no detector had anything to say of."""
    known = {label.example_id for label in labels}
    for name, is_right in right.items():
        if is_right is False and name not in known:
            yield ErrorLabel(name, UNEXPLAINED, found_by="harness")
