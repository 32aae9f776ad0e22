"""What is decided and reported of rounds, the control arm and the test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal

from harness.records.findings import Growth, Plan
from harness.records.plain import IF_SET
from harness.records.rows import Score

SUMMARY_SCHEMA: Final = "harness.summary/4"
"""Of the document that :mod:`harness.records.summary` states; the number rises with its meaning."""

Label = Literal["baseline", "improved", "no evidence", "regressed", "control"]
"""``control`` stands where a label would: a control arm's rounds are not judged."""
Contrast = Literal["random", "real", "none"]
"""What a control arm gets in place of the added rows: as many of the same augmenters, drawn at
random; as many real rows, drawn at random, where an augmenter writes its own; or none."""
GuardState = Literal["broken", "held", "cannot be judged"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader of a verdict has to know beside the comparison itself.

    Attributes:
        what: it is about: `one pass`, `asked again`, `form`, `guards`; of arms `arms`, `chosen`.
        sentence: all of it in words.
        figures: name -> number that the sentence tells.
    """

    what: str
    sentence: str
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One checkpoint against another, on one score.

    Attributes:
        label: *baseline* of round 0 alone; *control* in the control arm, which is not judged.
        against: what it is compared with (`round 1`).
        difference: oriented so that positive is better; None where it cannot be computed.
        low, high: the one-sided bounds at ``level`` each.
        level: confidence of each one-sided bound (1 - .05/R).
        detectable: smallest true difference found with 80 % power at this level.
        sentence: the comparison in words.
        n, groups: rows scored on both sides, and the groups that they come from.
        remarks: what is to be known besides, in the order in which it is told; not in the JSON
            where there is none.
    """

    label: Label
    against: str
    difference: float | None
    low: float | None
    high: float | None
    level: float
    detectable: float | None
    sentence: str
    n: int = 0
    groups: int = 0
    remarks: tuple[Remark, ...] = field(default=(), metadata=IF_SET)

    @property
    def words(self) -> str:
        """The verdict as people read it: the sentence, and those of all remarks."""
        return " ".join((self.sentence, *(remark.sentence for remark in self.remarks)))

    def remarked(self, *remarks: Remark) -> Verdict:
        """The same verdict with these remarks after its own."""
        return replace(self, remarks=(*self.remarks, *remarks))


@dataclass(frozen=True, slots=True)
class GuardResult:
    """Whether a round left alone what it must not make worse.

    Attributes:
        verdict: against the best round.
        start: against round 0; None where the best round is round 0.
        largest_loss: the greatest of the losses, against either, that are not excluded at 95 %
            confidence; None where none is known.
        sentence: the state in words.
        required, max_loss: of the config.
        refuses: whether the round is not kept because of this guard.
    """

    name: str
    verdict: Verdict
    state: GuardState
    start: Verdict | None = None
    largest_loss: float | None = None
    sentence: str = ""
    required: bool = False
    max_loss: float | None = None
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class RoundResult:
    """All that is reported of one round of one arm."""

    arm: str
    round: int
    train_rows: int
    scores: Mapping[str, Score]
    verdict: Verdict
    kept: bool
    errors: Mapping[str, int] = field(default_factory=dict)
    plan: Plan | None = None
    growth: Growth | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    guards: tuple[GuardResult, ...] = ()


@dataclass(frozen=True, slots=True)
class AnsweredKind:
    """The answers to instructions of one kind, such as *harmful requests refused*.

    Attributes:
        kind: its name, of the probe.
        asked: how many.
        right_before, right_after: answers that were right, of the base model and of the round's.
        lost, gained: right before alone, and after alone.
        p: exact and one-sided (McNemar), that fewer are right.
        worse: whether it is shown that fewer are right than before.
        sentence: all of it in words.
    """

    kind: str
    asked: int
    right_before: int
    right_after: int
    lost: int
    gained: int
    p: float
    worse: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A round's model on general text and instructions, beside the base model. No result of the
    task.

    Attributes:
        loss_before, loss_after: nats per token over the texts that both have a loss of; None where
            there is none.
        difference: after minus before, positive = worse; None where the two cannot be compared.
        low, high: its one-sided bounds, each at ``level``; None where the texts carry no verdict.
        level: confidence of each bound and of the test of answers (1 - .05/R).
        texts, groups, tokens: that are compared; bounds are over whole groups.
        left_out: texts without a loss on one side.
        asked, right_before, right_after: instructions, and how many answers were right.
        lost, gained: instructions that were answered right before alone, and after alone.
        p: exact and one-sided, of answers that got worse; None where nothing was asked.
        sentence: the comparison of losses in words.
        answers: that of answers, empty where nothing was asked.
        kinds: instructions of kinds of their own, which are not among those above.
        possible_loss: answers lost less those gained, of which more are excluded at 95 %
            confidence, one-sided; None where nothing was asked.
    """

    loss_before: float | None
    loss_after: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float
    texts: int
    groups: int
    tokens: int
    left_out: int
    asked: int
    right_before: int
    right_after: int
    lost: int
    gained: int
    p: float | None
    sentence: str
    answers: str
    kinds: tuple[AnsweredKind, ...] = ()
    possible_loss: int | None = None

    @property
    def worse_text(self) -> bool:
        """Whether it is shown that general text is predicted worse."""
        return self.low is not None and self.low > 0

    @property
    def worse_answers(self) -> bool:
        """Whether it is shown that general instructions are answered worse."""
        return self.p is not None and self.p < 1 - self.level


@dataclass(frozen=True, slots=True)
class TestResult:
    """What the sealed test set said.

    Attributes:
        looks: how often these rows were opened so far, over all runs, this time included, and runs
            that chose by them as rows of dev.
        counting: what that asks of the verdict, in words.
        baseline, kept: score name -> score; equal where round 0 was kept.
        verdict: best round against baseline.
        later: how often these rows were opened since.
    """

    __test__: ClassVar[bool] = False

    looks: int
    baseline: Mapping[str, Score]
    kept: Mapping[str, Score]
    verdict: Verdict
    counting: str = ""
    later: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """Why the test set of a run that has ended was not opened.

    Attributes:
        reason: `not asked` after `--no-test`.
        sentence: all of it in words.
    """

    reason: Literal["nothing kept", "not asked"]
    sentence: str


NOTHING_KEPT = Sealed(
    "nothing kept",
    "No round improved on the base model, so there is nothing to compare on the test set: it stays "
    "sealed, and no test-set evaluation was counted.",
)
NOT_ASKED = Sealed(
    "not asked",
    "The test set was not opened (--no-test). The best round was chosen on dev, so its dev scores "
    "are optimistic.",
)
