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
            (arm.name, seed): self._noted(arm, seed, result)
            for (arm, seed), result in zip(wanted, results, strict=True)
        }

    def _result(self, arm: Arm, seed: int) -> harness.BranchResult | harness.HarnessError:
        try:
            return self._carried_out(arm, seed, self.journal.tried(arm, seed))
        except (harness.Waiting, harness.InputChanged):
            raise
        except harness.HarnessError as error:
            return error

    def _noted(
        self, arm: Arm, seed: int, result: harness.BranchResult | harness.HarnessError
    ) -> harness.BranchTraining:
        """A training, written down if it is new."""
        earlier = self.journal.tried(arm, seed)
        if isinstance(result, harness.HarnessError):
            failed = self._failed(arm, seed, result)
            return earlier or failed
        self.answered[arm.name, seed] = result.answers
        if earlier is not None:
            return earlier
        training = _training(seed, result)
        self.journal.keep(arm, training)
        self._say(arm, training)
        return training

    def _failed(self, arm: Arm, seed: int, error: harness.HarnessError) -> harness.BranchTraining:
        self.lacking.add(arm.name)
        # What is the machine's fault may go well next time; a lack of memory will come again.
        if (
            arm.kind in JUDGED
            and self.journal.judged(arm) is None
            and isinstance(error, harness.EnvironmentFailure)
            and not isinstance(error, harness.OutOfMemory)
        ):
            self.waits.add(arm.name)
        if not self.run.writes:  # whoever only looks does without the answers
            return harness.BranchTraining(seed, 0, failed="it was not trained")
        self.failures.append(error)
        self.run.say(f"warning: {_named(arm, seed)} failed: {error.what}")
        return harness.BranchTraining(seed, 0, failed=error.what)

    def own(self) -> harness.BranchTraining:
        """The training of the reference round itself, with what it cost."""
        return _training(0, self.run.own_training())

    def _carried_out(
        self, arm: Arm, seed: int, earlier: harness.BranchTraining | None
    ) -> harness.BranchResult:
        run, name, where = self.run, _named(arm, seed), f"arm '{arm.name}'"
        if earlier is None:
            run.same_machine()  # what is trained anew is compared with what was trained there
        if arm.kind == "loop":
            return run.loop(seed_of(run.variants, seed), name, where=where)
        branch = run.branch(changes_of(run.variants, arm, seed), name, where=where)
        pinned: Mapping[str, str] = earlier.keys if earlier else {}
        return branch.carried_out(self._rows(arm, seed), pinned)

    def _rows(self, arm: Arm, seed: int) -> Sequence[harness.Example]:
        return share_of(self.run.learned, arm.share, seed_of(self.run.variants, seed))

    def _say(self, arm: Arm, training: harness.BranchTraining) -> None:
        primary, reference = self.run.variants.primary, self.run.round(self.run.reference)
        own, of_reference = (
            "no value" if scores[primary].value is None else f"{scores[primary].value:.4g}"
            for scores in (training.scores, reference.evaluation.scores)
        )
        self.run.say(
            f"{_named(arm, training.seed)}: {primary} {own} on dev; round {self.run.reference} "
            f"has {of_reference}"
        )


def _training(seed: int, result: harness.BranchResult) -> harness.BranchTraining:
    """What is written down of a training."""
    return harness.BranchTraining(
        seed, result.rows, result.answers.evaluation.scores, result.seconds,
        result.facts.get("tokens"), result.facts.get("memory"), result.facts.get("parameters"),
        result.keys,
    )  # fmt: skip


def _named(arm: Arm, seed: int) -> str:
    return arm.name if arm.seeds == 1 else f"{arm.name}, seed {seed + 1}"
