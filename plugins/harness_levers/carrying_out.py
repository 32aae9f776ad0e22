"""The search, the arms and the verdicts of a run, one after the other.

:class:`Trying` makes the trainings beside the rounds, or reads them again, and scores them on dev.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import harness
from harness_levers import planning
from harness_levers.arm_journal import ArmJournal
from harness_levers.document import document
from harness_levers.options import LeverOptions
from harness_levers.planning import seed_of
from harness_levers.records import JUDGED, Arm
from harness_levers.search.config import SearchConfig
from harness_levers.search.searching import Searching
from harness_levers.shares import share_of
from harness_levers.verdicts.judging import Judging


def carry_out(options: LeverOptions, run: harness.Branches) -> harness.Outcome:
    """Train, score and judge the arms of the config, and read the earlier ones again.

    Raises:
        ConfigError: an arm cannot be what the config says.
        Cancelled: the user asked to stop, or the budget is spent.
    """
    asked = planning.planned(options, run.variants)
    search, failures = _searched(options, run)
    best = search.arm if search else None
    if best is not None:  # the same settings are no two arms
        same = [arm for arm in asked if planning.identity(arm) == planning.identity(best)]
        asked += [] if same else [best]
        best = same[0] if same else best
    journal = ArmJournal(run.folder, run.closed)
    earlier = journal.earlier(asked)
    arms = [*earlier, *asked]
    done = frozenset([f"worth {options.worth}"])
    if not arms and search is None:
        return harness.Outcome(done=done, failures=failures)
    trying = Trying(run, journal)
    trying.carry_out(arms, asked)
    judging = Judging(options, run, journal, trying.trainings, trying.answered)
    # Without those that failed the level would be another one.
    if any(arm.name in trying.waits for arm in asked):
        run.say("arms are judged when the same command has trained those that failed")
    else:
        judging.judge(asked)
    return harness.Outcome(
        document=document(
            run.reference, options.worth, trying.own,
            judging.curve(asked) or judging.curve(earlier), judging.ranking(arms),
            judging.method(asked) or judging.method(earlier),
            search.document(best.name if best else "") if search else None,
        ),
        branches=list(map(judging.outcome, arms)),
        done=done | _done(arms, trying, search, best),
        failures=[*failures, *trying.failures],
    )  # fmt: skip


def _searched(
    options: LeverOptions, run: harness.Branches
) -> tuple[Searching | None, list[harness.HarnessError]]:
    """The search of the config, before any arm is trained: its best settings are one."""
    config = SearchConfig.of(run.variants)
    if config is None:
        return None, []
    try:
        searching = Searching(options, run, config)
        searching.carry_on()
    except harness.DataError as error:
        return None, [error]
    return searching, searching.failures


def _done(
    arms: Sequence[Arm], trying: Trying, search: Searching | None, best: Arm | None
) -> frozenset[str]:
    """The arms of which every training has answers, with their verdicts, and the search if it and
    its arm are done."""
    whole = [
        arm
        for arm in arms
        if arm.name not in trying.lacking
        and (arm.kind not in JUDGED or trying.journal.judged(arm) is not None)
    ]
    done = {planning.asked(arm) for arm in whole}
    ended = search is not None and search.ended and search.best is not None
    if search is not None and ended and (best is None or best in whole):
        done.add(search.config.part)
    return frozenset(done)


class Trying:
    """Carries trainings out, side by side where there are several workers.

    Attributes:
        own: the training of the reference round itself, with what it cost.
        trainings: arm -> its trainings, by seed; the first of the reference's own, or of the loop,
            is the run's.
        answered: (arm, seed) -> the answers of one of its trainings.
        failures: what went wrong, in the order of the arms.
        lacking: names of arms of which a training has no answers.
        waits: names of those that have no verdict and lack them by no fault of their own.
    """

    def __init__(self, run: harness.Branches, journal: ArmJournal) -> None:
        self.run, self.journal = run, journal
        self.own = _training(0, run.own_training())
        self.trainings: dict[str, list[harness.BranchTraining]] = {}
        self.answered: dict[tuple[str, int], harness.AnswerSet] = {}
        self.failures: list[harness.HarnessError] = []
        self.lacking: set[str] = set()
        self.waits: set[str] = set()

    def carry_out(self, arms: Sequence[Arm], asked: Sequence[Arm]) -> None:
        """Carry out all that is asked for, and read again what was trained of the other arms.

        What fails costs this training alone; it is tried again by the next command.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
        """
        repeated = [arm.name for arm in arms if arm.kind in ("seed", "loop")]
        self.trainings = {arm.name: [self.own] if arm.name in repeated else [] for arm in arms}
        wanted = [
            (arm, seed)
            for arm in arms
            for seed in range(arm.name in repeated, arm.seeds)
            if arm in asked or self.journal.tried(arm, seed) is not None
        ]
        tasks = [functools.partial(self._result, arm, seed) for arm, seed in wanted]
        results = self.run.side_by_side(tasks)
        for (arm, seed), result in zip(wanted, results, strict=True):
            self.trainings[arm.name].append(self._noted(arm, seed, result))

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

    def _carried_out(
        self, arm: Arm, seed: int, earlier: harness.BranchTraining | None
    ) -> harness.BranchResult:
        run, name, where = self.run, _named(arm, seed), f"arm '{arm.name}'"
        if earlier is None:
            run.same_machine()  # what is trained anew is compared with what was trained there
        if arm.kind == "loop":
            return run.loop(seed_of(run.variants, seed), name, where=where)
        drawn = seed_of(run.variants, seed)
        changes = {**arm.changed, "seed": drawn} if seed else arm.changed
        branch = run.branch(changes, name, where=where)
        rows = share_of(run.learned, arm.share, drawn)
        return branch.carried_out(rows, earlier.keys if earlier else {})

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
