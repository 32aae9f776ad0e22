"""The experiment ``sample``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

import harness

DONE = frozenset({"sample"})


@dataclass(frozen=True, slots=True)
class Found:
    """What summary.json says under ``experiments`` and ``sample``.

    Attributes:
        sentences: the conclusions.
    """

    sentences: tuple[str, ...]


class Sample(harness.Experiment):
    """Trains the best round once more, with another seed."""

    name = "sample"
    document = Found

    class Options(harness.Options):
        # A key of the config itself: harness iterate --set sample=true.
        sample: bool = Field(False, description="train the best round with another seed, too")

    options: Options

    def changes(self, variants: harness.Variants) -> Mapping[str, Any]:
        return {"seed": variants.derived_seed("sample", 1)}

    def intent(self, variants: harness.Variants) -> harness.Intent:
        if not self.options.sample:
            return harness.Intent()
        variants.digest(self.changes(variants), "sample")  # refuses what cannot be
        return harness.Intent(trainings=1, parts=DONE)

    def left(self, run: harness.Branches) -> Sequence[harness.PlannedBranch]:
        if not self.options.sample or run.closed:
            return []
        learned = [harness.PlannedRows(1, run.learned)]
        answered = [harness.PlannedRows(1, run.rows("dev"))]
        return [harness.PlannedBranch("sample", [self.changes(run.variants)], learned, answered)]

    def carry_out(self, run: harness.Branches) -> harness.Outcome:
        if not self.options.sample:
            return harness.Outcome()
        changes, primary = self.changes(run.variants), run.variants.primary
        result = run.branch(changes, "sample", where="sample").carried_out(run.learned)
        scores = result.answers.evaluation.scores
        sentence = f"With another seed {primary} is {scores[primary].value}."
        training = harness.BranchTraining(0, result.rows, scores, result.seconds)
        branch = harness.BranchOutcome("sample", "seed", changes, [training])
        return harness.Outcome(Found((sentence,)), [branch], done=DONE)


@harness.hookimpl
def register_experiments() -> list[type[harness.Experiment]]:
    return [Sample]
