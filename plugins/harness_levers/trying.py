"""The trainings beside the rounds: each one made or read again, and scored on dev."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import harness
from harness_levers.arm_journal import ArmJournal
from harness_levers.planning import changes_of, seed_of
from harness_levers.records import JUDGED, Arm
from harness_levers.shares import share_of


class Trying:
    """Carries trainings out, side by side where there are several workers.

    Attributes:
        answered: (arm, seed) -> the answers of one of its trainings.
        failures: what went wrong, in the order of the arms.
        lacking: names of arms of which a training has no answers.
        waits: names of those that have no verdict and lack them by no fault of their own.
    """

    def __init__(self, run: harness.Branches, journal: ArmJournal) -> None:
        self.run, self.journal = run, journal
        self.answered: dict[tuple[str, int], harness.AnswerSet] = {}
        self.failures: list[harness.HarnessError] = []
        self.lacking: set[str] = set()
        self.waits: set[str] = set()

    def tried(
        self, wanted: Sequence[tuple[Arm, int]]
    ) -> dict[tuple[str, int], harness.BranchTraining]:
        """(arm, seed) -> that training; its answers are put into ``answered``.

        What fails costs this training alone; it is tried again by the next command.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
        """
        tasks = [functools.partial(self._result, arm, seed) for arm, seed in wanted]
        results = self.run.side_by_side(tasks)
        return {
            (arm.name, seed): self._kept(arm, seed, result)
            for (arm, seed), result in zip(wanted, results, strict=True)
        }

    def _result(self, arm: Arm, seed: int) -> harness.BranchResult | harness.HarnessError:
        try:
            return self._carried_out(arm, seed, self.journal.tried(arm, seed))
        except (harness.Waiting, harness.InputChanged):
            raise
        except harness.HarnessError as error:
            return error

    def _kept(
        self, arm: Arm, seed: int, result: harness.BranchResult | harness.HarnessError
    ) -> harness.BranchTraining:
        """A training, written down if it is new."""
        known = self.journal.tried(arm, seed)
        if isinstance(result, harness.HarnessError):
            self.lacking.add(arm.name)
            if (
                arm.kind in JUDGED
                and self.journal.judged(arm) is None
                and isinstance(result, harness.EnvironmentFailure)
                and not isinstance(result, harness.OutOfMemory)
            ):
                self.waits.add(arm.name)
            if not self.run.writes:  # whoever only looks does without the answers
                return known or harness.BranchTraining(seed, 0, failed="it was not trained")
            self.failures.append(result)
            self.run.say(f"warning: {_named(arm, seed)} failed: {result.what}")
            return known or harness.BranchTraining(seed, 0, failed=result.what)
        self.answered[arm.name, seed] = result.answers
        if known is not None:
            return known
        tried = _noted(seed, result)
        self.journal.keep(arm, tried)
        self._say(arm, tried)
        return tried

    def own(self) -> harness.BranchTraining:
        """The training of the reference round itself, with what it cost."""
        return _noted(0, self.run.own_training())

    def _carried_out(
        self, arm: Arm, seed: int, known: harness.BranchTraining | None
    ) -> harness.BranchResult:
        run, name, where = self.run, _named(arm, seed), f"arm '{arm.name}'"
        if known is None:
            run.same_machine()
        if arm.kind == "loop":
            return run.loop(seed_of(run.variants, seed), name, where=where)
        branch = run.branch(changes_of(run.variants, arm, seed), name, where=where)
        pinned: Mapping[str, str] = known.keys if known else {}
        return branch.carried_out(self._rows(arm, seed), pinned)

    def _rows(self, arm: Arm, seed: int) -> Sequence[harness.Example]:
        return share_of(self.run.learned, arm.share, seed_of(self.run.variants, seed))

    def _say(self, arm: Arm, tried: harness.BranchTraining) -> None:
        primary, reference = self.run.variants.primary, self.run.round(self.run.reference)
        values = [scores[primary].value for scores in (tried.scores, reference.evaluation.scores)]
        shown = ["no value" if value is None else f"{value:.4g}" for value in values]
        self.run.say(
            f"{_named(arm, tried.seed)}: {primary} {shown[0]} on dev; round {self.run.reference} "
            f"has {shown[1]}"
        )


def _noted(seed: int, result: harness.BranchResult) -> harness.BranchTraining:
    """What is written down of a training."""
    return harness.BranchTraining(
        seed, result.rows, result.answers.evaluation.scores, result.seconds,
        result.facts.get("tokens"), result.facts.get("memory"), result.facts.get("parameters"),
        result.keys,
    )  # fmt: skip


def _named(arm: Arm, seed: int) -> str:
    return arm.name if arm.seeds == 1 else f"{arm.name}, seed {seed + 1}"
