"""What the trainings beside the rounds say: verdicts on arms, curve, ranking, method."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

from harness.config.arms import REFERENCE
from harness.data.splits import groups_of
from harness.engine import dev_ledger
from harness.engine.arm_journal import ArmJournal, Judged, asked as asked_of
from harness.engine.history import History
from harness.engine.row_keys import row_keys
from harness.engine.steps import At, Evaluation, Steps
from harness.kit.files import digest
from harness.records import BASE_ARM, Measurement, Verdict, to_json
from harness.records.arms import Arm, ArmResult, Curve, Method, Ranking, Tried
from harness.stats.decision import ALPHA
from harness.verdicts import arms as family, curve as curves, method, ranking, rule
from harness.verdicts.rule import DecidingScore

Measured = Sequence[Measurement]


class Judging:
    """Compares what was tried with the reference round.

    Args:
        tried: arm -> its trainings, by seed.
    """

    def __init__(
        self,
        steps: Steps,
        history: History,
        reference: int,
        journal: ArmJournal,
        tried: Mapping[str, tuple[Tried, ...]],
    ) -> None:
        self.steps, self.history, self.reference = steps, history, reference
        self.journal, self.tried = journal, tried
        self.dev = history.data.split("dev")
        entry, settings = steps.primary_entry(), steps.config.settings
        self.score = DecidingScore(
            entry, settings.primary, groups_of(self.dev), steps.seed("verdict", 0)
        )

    def judge(self, asked: Sequence[Arm]) -> None:
        """Give the verdicts on settings and models that are not given yet, together.

        An arm of which a training failed is judged once that is there; it counts among the others
        already.
        """
        arms = [
            arm
            for arm in asked
            if arm.kind in ("settings", "model") and self.journal.judged(arm) is None
        ]
        run, by_name = self.steps.run, {arm.name: arm for arm in arms}
        whole = [arm.name for arm in arms if self._answered(arm)]
        if not whole or not run.writes:
            return
        result = to_json(self.history.results[BASE_ARM, self.reference])
        who = f"{run.name} {digest(result)[:16]}"
        earlier = dev_ledger.count(run.machine, row_keys(self.dev), who, list(map(asked_of, arms)))
        alpha = family.budget(earlier, len(arms))

        @functools.cache
        def verdict(name: str, alpha: float) -> Verdict:
            return self._verdict(by_name[name], alpha)

        given = family.holm(list(by_name), alpha, verdict)
        remark = family.built_on_each_other(earlier, len(arms))
        given = {
            name: dataclasses.replace(one, sentence=one.sentence + remark)
            for name, one in given.items()
        }
        self.journal.judge(
            [Judged(by_name[name], given[name], earlier, len(arms)) for name in whole]
        )
        for name in whole:
            run.watcher.say(f"{name}: {given[name].sentence}")

    def _verdict(self, arm: Arm, alpha: float) -> Verdict:
        """An arm against the reference, at that error of each bound; *no evidence* if it failed."""
        against, least = f"round {self.reference}", self.steps.config.settings.min_gain
        if not self._answered(arm):
            words = f"no evidence: not all trainings of {arm.name} have answers."
            return Verdict("no evidence", against, None, None, None, 1 - alpha, None, words)
        judge = functools.partial(
            method.judge if arm.seeds > 1 else rule.judge,
            self.score, alpha=alpha, min_gain=least, against=against,
        )  # fmt: skip
        new, old = self._sides(arm)
        found: Verdict = judge(new, old) if arm.seeds > 1 else judge(new[0], old[0])
        return found

    def _sides(self, arm: Arm) -> tuple[list[Measured], list[Measured]]:
        """Measurements of an arm and of the reference, for each seed that both have."""
        own = self._by_seed(REFERENCE, self.reference)
        new: list[Measured] = []
        old: list[Measured] = []
        for seed in range(arm.seeds):
            answers = self.history.arms_answered.get((arm.name, seed))
            beside = own.get(seed)
            if answers is None or beside is None:
                continue
            at = At(self.reference, arm.name)
            first, second = self.steps.alike(beside, answers, self.dev, At(self.reference), at)
            old.append(first)
            new.append(second)
        return new, old

    def _by_seed(self, name: str, own: int) -> dict[int, Evaluation]:
        """The answers of a repeated training or loop by seed; the first are the round's own."""
        repeated = {
            seed: answers
            for (arm, seed), answers in self.history.arms_answered.items()
            if arm == name
        }
        return {0: self.history.evaluations[BASE_ARM, own]} | repeated

    def _answered(self, arm: Arm) -> bool:
        """Whether all its trainings gave answers, and those of the reference beside them."""
        own = self._by_seed(REFERENCE, self.reference)
        return all(
            (arm.name, seed) in self.history.arms_answered and seed in own
            for seed in range(arm.seeds)
        )

    def results(self, arms: Sequence[Arm]) -> tuple[ArmResult, ...]:
        """All of them, those of settings and models with their verdicts."""
        return tuple(self._result(arm) for arm in arms)

    def _result(self, arm: Arm) -> ArmResult:
        judged, worth = self.journal.judged(arm), self.steps.config.settings.worth
        state = None
        if judged is not None and worth is not None:
            alpha = family.budget(judged.earlier, judged.together) / judged.together
            bounds = self._verdict(arm, alpha) if self._answered(arm) else judged.verdict
            state = family.worth_of(bounds, worth)
        verdict = None if judged is None else judged.verdict
        return ArmResult(arm, self.tried[arm.name], verdict, state)

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
        answers = [self.history.arms_answered.get((arm.name, seed)) for seed in range(arm.seeds)]
        if any(one is None for one in answers):
            return None
        reference = self.history.evaluations[BASE_ARM, self.reference]
        at = At(self.reference, arm.name)
        measured = tuple(
            self.steps.alike(reference, one, self.dev, At(self.reference), at)[1]
            for one in answers
            if one is not None
        )
        tried, primary = self.tried[arm.name], self.score.name
        values = tuple(one.scores[primary].value for one in tried)
        # Each seed draws other groups, and these are not all of one size.
        rows = round(sum(one.rows for one in tried) / len(tried))
        return curves.Point(arm.share, rows, values, measured)

    def ranking(self, arms: Sequence[Arm]) -> Ranking | None:
        """The base models, the run's own among them; None where there is no other."""
        answered = self.history.arms_answered
        models = [arm for arm in arms if arm.kind == "model" and (arm.name, 0) in answered]
        if not models:
            return None
        sides = {arm.name: self._sides(arm) for arm in models}
        own = next(iter(sides.values()))[1][0]
        name = self.history.model
        if name in sides:
            name = f"{name} (of the run)"
        measured = {name: own} | {other: new[0] for other, (new, _) in sides.items()}
        return ranking.rank(self.score, measured)

    def method(self, arms: Sequence[Arm]) -> Method | None:
        """Training, or the loop, over seeds against the base model; None without seeds."""
        arm = next((arm for arm in arms if arm.kind in ("seed", "loop")), None)
        if arm is None:
            return None
        base = self.history.evaluations[BASE_ARM, 0]
        own = self.reference if arm.kind == "seed" else self.history.kept
        found = self._by_seed(arm.name, own)
        sides = [
            self.steps.alike(base, found[seed], self.dev, At(0), At(own)) for seed in sorted(found)
        ]
        seeds = sorted(found)
        verdict = method.judge(
            self.score, [new for _, new in sides], [old for old, _ in sides],
            alpha=ALPHA, min_gain=self.steps.config.settings.min_gain, against="round 0",
            seeds=[seed + 1 for seed in seeds],
        )  # fmt: skip
        values = tuple(found[seed].scores[self.score.name].value for seed in seeds)
        name = f"round {own}" if arm.kind == "seed" else "the loop's best round"
        chosen = {"seed": f"Round {own}", "loop": "The best round of each loop"}[arm.kind]
        if arm.kind == "loop" or self.history.kept:
            verdict = dataclasses.replace(
                verdict, sentence=f"{verdict.sentence} {chosen} was chosen on these rows of dev, "
                "and this verdict has an error of .05 of its own beside those of rounds and arms: "
                "it may be a little too good."
            )  # fmt: skip
        return Method(name, values, verdict)
