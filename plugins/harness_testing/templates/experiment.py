"""The experiment ``sample``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import harness

DONE = frozenset({"once more"})


@dataclass(frozen=True, slots=True)
class Found:
    """What summary.json says of the experiment.

    Attributes:
        sentences: the conclusions.
    """

    sentences: tuple[str, ...]


class Sample(harness.Experiment):
    """Trains the best round once more, with another seed."""

    name = "sample"
    document = Found

    class Options(harness.Options):
        # A key of the config itself: harness iterate --set once_more=true.
        once_more: bool = False

    options: Options

    def changes(self, variants: harness.Variants) -> Mapping[str, Any]:
        return {"seed": variants.derived_seed(self.name, 1)}

    def intent(self, variants: harness.Variants) -> harness.Intent:
        if not self.options.once_more:
            return harness.Intent()
        variants.digest(self.changes(variants), self.name)  # refuses what cannot be
        return harness.Intent(trainings=1, parts=DONE)

    def left(self, run: harness.Branches) -> Sequence[harness.PlannedBranch]:
        if not self.options.once_more or run.closed:
            return []
        changes, dev = self.changes(run.variants), run.rows("dev")
        learned = [harness.PlannedRows(1, run.learned)]
        answered = [harness.PlannedRows(1, dev)]
        return [harness.PlannedBranch(self.name, [changes], learned, answered)]

    def carry_out(self, run: harness.Branches) -> harness.Outcome:
        if not self.options.once_more:
            return harness.Outcome()
        changes, primary = self.changes(run.variants), run.variants.primary
        branch = run.branch(changes, self.name, where=self.name)
        result = branch.carried_out(run.learned)
        scores = result.answers.evaluation.scores
        sentence = f"With another seed {primary} is {scores[primary].value}."
        training = harness.BranchTraining(0, result.rows, scores, result.seconds)
        outcome = harness.BranchOutcome(self.name, "seed", changes, [training])
        return harness.Outcome(Found((sentence,)), [outcome], done=DONE)


@harness.hookimpl
def register_experiments() -> list[type[harness.Experiment]]:
    return [Sample]
