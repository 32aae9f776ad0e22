"""A run whose rounds are closed, on the small data set: for calling an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.config.variants import Variants
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.opened import AnswerSet, Branch, Branches, BranchResult
from harness.opened.branches import Trained
from harness.records import Checkpoint, Example, Measurement, Score
from harness.run.at import At
from harness.steps.answer import Evaluation
from harness_testing.sample_rows import SCORE, SampleRows

SEED = 7


class SampleVariants(Variants):
    """Of a config with one score, whatever its other keys are."""

    seed = SEED
    primary = SCORE
    scores = [SCORE]

    def __init__(self) -> None:
        pass

    def metric(self, score: str) -> None:
        return None

    def entry(self, key: str) -> None:
        return None

    def asking(self, entry: Any) -> AbstractContextManager[None]:  # type: ignore[override]
        return plainly("sample")

    def problems(self) -> Problems:
        return Problems(None, {})

    def own(self, keys: Sequence[str]) -> dict[str, Any]:
        return {}

    def digest(self, changes: Mapping[str, Any], where: str = "") -> str:
        return digest(dict(changes))


class SampleBranch(Branch):
    """Answers as the sample does, whatever it learns."""

    def __init__(self, sample: SampleRows, at: At) -> None:
        self._sample, self._at = sample, at

    def train(self, rows: Sequence[Example], valid: Sequence[Example], **asked: Any) -> Trained:
        checkpoint = Checkpoint("base", "", "sample", "sample")
        return Trained(checkpoint, "sample", [{"step": 1, "eval_loss": 1.0}], {})

    def answer(self, trained: Trained, rows: Sequence[Example], **asked: Any) -> AnswerSet:
        return answers(self._sample, self._at)

    def carried_out(
        self, rows: Sequence[Example], pinned: Mapping[str, str] | None = None
    ) -> BranchResult:
        return BranchResult(answers(self._sample, self._at), len(rows), {"train": 1.0}, {})

    def part(self, name: str) -> Branch:
        return SampleBranch(self._sample, At(self._at.round, name, self._at.split))

    def spent(self) -> float:
        return 1.0


class SampleBranches(Branches):
    """One round is closed, and every branch answers as it did.

    Args:
        folder: stands for the run's.
    """

    writes = True
    base_model = "sample"
    kept = 1
    min_gain = 0.0

    def __init__(self, sample: SampleRows, folder: Path) -> None:
        self._sample, self.folder = sample, folder
        self.variants = SampleVariants()
        self.reference, self.closed = 1, "sample"

    def rows(self, split: str) -> Sequence[Example]:
        return self._sample.rows_of(split)

    @property
    def learned(self) -> Sequence[Example]:
        return self._sample.rows_of("train")

    def round(self, number: int) -> AnswerSet:
        return answers(self._sample, At(number))

    def own_training(self) -> BranchResult:
        return BranchResult(self.round(1), len(self.learned), {"train": 1.0}, {})

    def branch(
        self, changes: Mapping[str, Any], name: str, *, where: str, split: str = "dev"
    ) -> Branch:
        return SampleBranch(self._sample, At(self.reference, name, split))

    def loop(self, seed: int, name: str, *, where: str) -> BranchResult:
        return self.own_training()

    def same_machine(self) -> None:
        return None

    def alike(
        self, first: AnswerSet, second: AnswerSet
    ) -> tuple[Sequence[Measurement], Sequence[Measurement]]:
        return first.evaluation.measurements[SCORE], second.evaluation.measurements[SCORE]

    def count_judged(self, identities: Sequence[str]) -> int:
        return 0

    def say(self, sentence: str) -> None:
        return None


def answers(sample: SampleRows, at: At) -> AnswerSet:
    """The sample's answers to dev."""
    measured = []
    for row in sample.scored:
        value = row.values[SCORE]
        if value is None:
            measured.append(Measurement(row.example.id, SCORE, None))
        else:
            measured.append(Measurement(row.example.id, SCORE, (value, 1.0), {SCORE: value}))
    scores = {SCORE: Score(SCORE, 0.5, None, None, 3, 1, "score|v:1")}
    predictions = tuple(row.prediction for row in sample.scored)
    evaluation = Evaluation(predictions, {SCORE: tuple(measured)}, scores, sample.scored, (), {})
    return AnswerSet(evaluation, at)
