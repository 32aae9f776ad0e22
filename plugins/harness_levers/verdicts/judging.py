"""What the trainings beside the rounds say: verdicts on arms, curve, ranking, method."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import harness
from harness.stats.decision import ALPHA
from harness.verdicts import rule
from harness_levers.arm_journal import ArmJournal, Judged
from harness_levers.options import LeverOptions
from harness_levers.planning import REFERENCE, asked as asked_of
from harness_levers.records import JUDGED, Arm, Curve, Method, Ranking
from harness_levers.verdicts import curve as curves, holm, method, ranking

Measured = Sequence[harness.Measurement]


class Judging:
    """Compares what was tried with the reference round.

    Args:
        tried: arm -> its trainings, by seed.
        answered: (arm, seed) -> its answers, where it has given any.
    """

    def __init__(
        self,
        options: LeverOptions,
        run: harness.Branches,
        journal: ArmJournal,
        tried: Mapping[str, Sequence[harness.BranchTraining]],
        answered: Mapping[tuple[str, int], harness.AnswerSet],
    ) -> None:
        self.options, self.run, self.journal = options, run, journal
        self.tried, self.answered, self.score = tried, answered, run.score
        self.min_gain = run.min_gain

    def judge(self, asked: Sequence[Arm]) -> None:
        """Give the verdicts on settings and models that are not given yet, together.

        An arm of which a training failed is judged once that is there; it counts among the others
        already.
        """
        arms = [arm for arm in asked if arm.kind in JUDGED and self.journal.judged(arm) is None]
        by_name = {arm.name: arm for arm in arms}
        whole = [arm.name for arm in arms if self._whole(arm)]
        if not whole or not self.run.writes:
            return
        earlier = self.run.count_judged(list(map(asked_of, arms)))
        alpha = holm.budget(earlier, len(arms))

        @functools.cache
        def verdict(name: str, alpha: float) -> harness.Verdict:
            return self._verdict(by_name[name], alpha)

        remarks = holm.built_on_each_other(earlier, len(arms))
        verdicts = {
            name: verdict.remarked(*remarks)
            for name, verdict in holm.holm(list(by_name), alpha, verdict).items()
        }
        self.journal.judge(
            [Judged(by_name[name], verdicts[name], earlier, len(arms)) for name in whole]
        )
        for name in whole:
            self.run.say(f"{name}: {verdicts[name].words}")

    def _verdict(self, arm: Arm, alpha: float) -> harness.Verdict:
        """An arm against the reference, at that error of each bound; *no evidence* if it failed."""
        against = f"round {self.run.reference}"
        if not self._whole(arm):
            words = f"no evidence: not all trainings of {arm.name} have answers."
            return harness.Verdict("no evidence", against, None, None, None, 1 - alpha, None, words)
        new, old = self._sides(arm)
        if arm.seeds == 1:
            return rule.judge(
                self.score, new[0], old[0], alpha=alpha, min_gain=self.min_gain, against=against
            )
        return method.judge(
            self.score, new, old, alpha=alpha, min_gain=self.min_gain, against=against
        )

    def _sides(self, arm: Arm) -> tuple[list[Measured], list[Measured]]:
        """Measurements of an arm and of the reference, for each seed that both have."""
        own = self._by_seed(REFERENCE, self.run.reference)
        new: list[Measured] = []
        old: list[Measured] = []
        for seed in range(arm.seeds):
            answers, beside = self.answered.get((arm.name, seed)), own.get(seed)
            if answers is None or beside is None:
                continue
            first, second = self.run.alike(beside, answers)
            old.append(first)
            new.append(second)
        return new, old

    def _by_seed(self, name: str, own: int) -> dict[int, harness.AnswerSet]:
        """The answers of a repeated training or loop by seed; the first are the round's own."""
        repeated = {
            seed: dataclasses.replace(answers, at=self.run.round(own).at)
            for (arm, seed), answers in self.answered.items()
            if arm == name
        }
        return {0: self.run.round(own)} | repeated

    def _whole(self, arm: Arm) -> bool:
        """Whether all its trainings gave answers, and those of the reference beside them."""
        own = self._by_seed(REFERENCE, self.run.reference)
        return all((arm.name, seed) in self.answered and seed in own for seed in range(arm.seeds))

    def outcome(self, arm: Arm) -> harness.BranchOutcome:
        """What came of an arm; of those of settings and models with their verdicts."""
        judged, worth = self.journal.judged(arm), self.options.worth
        state = None
        if judged is not None and worth is not None:
            alpha = holm.budget(judged.earlier, judged.together) / judged.together
            bounds = self._verdict(arm, alpha) if self._whole(arm) else judged.verdict
            state = holm.worth_of(bounds, worth)
        answers = self.answered.get((arm.name, 0))
        return harness.BranchOutcome(
            arm.name, arm.kind, arm.changed, self.tried[arm.name], arm.share,
            None if judged is None else judged.verdict, state,
            None if answers is None else answers.evaluation,
        )  # fmt: skip

    def curve(self, arms: Sequence[Arm]) -> Curve | None:
        """What more rows are worth; None where there is no whole curve among the arms.

        Of curves that are not asked for any more, the shares count that have as many seeds as the
        last one.
        """
        shares = sorted((arm for arm in arms if arm.kind == "data"), key=lambda arm: arm.share)
        shares = [arm for arm in shares if arm.seeds == shares[-1].seeds]
        points = [point for arm in shares if (point := self._point(arm)) is not None]
        whole = len(points) == len(shares) > 1 and points[-1].share == 1
        return curves.curve(self.score, points) if whole else None

    def _point(self, arm: Arm) -> curves.Point | None:
        answers = [self.answered.get((arm.name, seed)) for seed in range(arm.seeds)]
        answered = [side for side in answers if side is not None]
        if len(answered) < len(answers):
            return None
        reference = self.run.round(self.run.reference)
        measured = tuple(self.run.alike(reference, side)[1] for side in answered)
        tried, primary = self.tried[arm.name], self.score.name
        values = tuple(training.scores[primary].value for training in tried)
        # Each seed draws other groups, and these are not all of one size.
        rows = round(sum(training.rows for training in tried) / len(tried))
        return curves.Point(arm.share, rows, values, measured)

    def ranking(self, arms: Sequence[Arm]) -> Ranking | None:
        """The base models, the run's own among them; None where there is no other."""
        models = [arm for arm in arms if arm.kind == "model" and (arm.name, 0) in self.answered]
        if not models:
            return None
        sides = {arm.name: self._sides(arm) for arm in models}
        own = next(iter(sides.values()))[1][0]
        name = self.run.base_model
        if name in sides:
            name = f"{name} (of the run)"
        measured = {name: own} | {other: new[0] for other, (new, _) in sides.items()}
        return ranking.rank(self.score, measured)

    def method(self, arms: Sequence[Arm]) -> Method | None:
        """Training, or the loop, over seeds against the base model; None without seeds."""
        arm = next((arm for arm in arms if arm.kind in ("seed", "loop")), None)
        if arm is None:
            return None
        own = self.run.reference if arm.kind == "seed" else self.run.kept
        by_seed = sorted(self._by_seed(arm.name, own).items())
        sides = [self.run.alike(self.run.round(0), answers) for _, answers in by_seed]
        verdict = method.judge(
            self.score, [new for _, new in sides], [old for old, _ in sides],
            alpha=ALPHA, min_gain=self.min_gain, against="round 0",
            seeds=[seed + 1 for seed, _ in by_seed],
        )  # fmt: skip
        values = tuple(side.evaluation.scores[self.score.name].value for _, side in by_seed)
        name = f"round {own}" if arm.kind == "seed" else "the loop's best round"
        chosen = {"seed": f"Round {own}", "loop": "The best round of each loop"}[arm.kind]
        if arm.kind == "loop" or self.run.kept:
            sentence = (
                f"{chosen} was chosen on these rows of dev, and this verdict has an error of .05 "
                "of its own beside those of rounds and arms: it may be a little too good."
            )
            verdict = verdict.remarked(harness.Remark("chosen", sentence))
        return Method(name, values, verdict)
