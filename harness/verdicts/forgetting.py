"""Whether a training made the model worse at what it was not for: general text and instructions.

Texts are paired. The loss per token is the sum of all losses over the number of all tokens, and its
difference has bootstrap bounds over whole groups of texts, such as registers. Of the instructions
those count whose answer was right before and is wrong now, or the other way round: McNemar's exact
test, one-sided. Each of the two is called worse with an error of .05 / R per round, R the planned
rounds, so that in a run that forgot nothing either is called so in 5 % at most; and so is each kind
of instructions that a probe counts by itself. It is no result of the task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness import stats
from harness.config.aims import Guard
from harness.kit.numbers import interval, number, p_value, perplexity, signed
from harness.records import AnsweredKind, Forgetting, GuardResult, GuardState, Verdict
from harness.stats.decision import ALPHA, NO_SPREAD, usable
from harness.verdicts.sentences import percent

DIGITS = 3
UNMEASURED = "the loss on general text was not measured"
Losses = Sequence[tuple[float | None, int]]
"""Of each text the sum of the losses (nats) over its tokens, None where that is no finite number;
and the number of these tokens."""


@dataclass(frozen=True)
class Rise:
    """The loss of one model on texts beside that of the base model.

    Attributes:
        before, after: of the same texts.
        groups: the name of each text's group.
        seed: of the bootstrap.
    """

    before: Losses
    after: Losses
    groups: Sequence[str]
    seed: int

    @cached_property
    def places(self) -> list[int]:
        """The texts that have a token and a loss on both sides."""
        return [
            place
            for place, (old, new) in enumerate(zip(self.before, self.after, strict=True))
            if min(old[1], new[1]) > 0 and old[0] is not None and new[0] is not None
        ]

    @cached_property
    def left_out(self) -> int:
        """Texts with tokens, and without a loss on one side."""
        pairs = zip(self.before, self.after, strict=True)
        return sum(max(old[1], new[1]) > 0 for old, new in pairs) - len(self.places)

    @property
    def tokens(self) -> int:
        return sum(self.before[place][1] for place in self.places)

    @property
    def doubt(self) -> str:
        """Why the two sides cannot be compared at all, or an empty string."""
        if not self.places:
            return "no text has a loss of both models"
        if any(self.before[place][1] != self.after[place][1] for place in self.places):
            return "the two models cut the texts into other tokens"
        return ""

    @cached_property
    def thin(self) -> str:
        """Why the texts carry no verdict: too few groups, or one too large; or an empty string."""
        return usable([self.groups[place] for place in self.places]).replace("rows", "texts")

    def per_token(self, side: Losses) -> float | None:
        """The loss per token of one side."""
        tokens = sum(side[place][1] for place in self.places)
        total = math.fsum(side[place][0] or 0.0 for place in self.places)
        return total / tokens if tokens else None

    def at(self, level: float) -> stats.Difference:
        """After minus before, each bound at that level. There is no :attr:`doubt`."""
        after, before = (
            np.array([side[place] for place in self.places], dtype=np.float64)
            for side in (self.after, self.before)
        )
        groups = [self.groups[place] for place in self.places]
        (rise,) = stats.difference(_per_token, after, before, groups, self.seed, level)
        return rise


def _per_token(sums: stats.Floats, _: stats.Floats) -> stats.Floats:
    ratio: stats.Floats = sums[..., :1] / sums[..., 1:]
    return ratio


@dataclass(frozen=True)
class PairedAnswers:
    """Instructions of which both models have answered every one.

    Attributes:
        before, after: whether each answer is right.
    """

    before: Sequence[bool]
    after: Sequence[bool]

    @cached_property
    def lost(self) -> int:
        """Those that only the model before answers right."""
        return sum(old and not new for old, new in zip(self.before, self.after, strict=True))

    @cached_property
    def gained(self) -> int:
        return sum(new and not old for old, new in zip(self.before, self.after, strict=True))

    @cached_property
    def p(self) -> float | None:
        """One-sided, of answers that got worse; None where nothing was asked."""
        return stats.mcnemar_worse(self.lost, self.gained) if self.before else None

    @cached_property
    def possible_loss(self) -> int | None:
        """Answers, lost less gained, of which more are excluded at 95 % confidence, one-sided.

        None where nothing was asked; 0 where any loss is excluded.
        """
        if not self.before:
            return None
        asked = len(self.before)
        low, _ = stats.share_bounds(self.gained, self.lost, asked, ALPHA)
        return max(0, math.ceil(round(-low * asked, 9)))

    def tail(self) -> str:
        """``; a loss of up to 11 of 40 is not excluded``; empty where any loss is."""
        if not self.possible_loss:
            return ""
        return f"; a loss of up to {self.possible_loss} of {len(self.before)} is not excluded"


def by_kind(
    kinds: Sequence[str], before: Sequence[bool], after: Sequence[bool]
) -> dict[str, PairedAnswers]:
    """Kind of instruction -> its answers; the general ones under an empty name, always."""
    sides: dict[str, tuple[list[bool], list[bool]]] = {"": ([], [])}
    for kind, old, new in zip(kinds, before, after, strict=True):
        of_kind = sides.setdefault(kind, ([], []))
        of_kind[0].append(old)
        of_kind[1].append(new)
    return {kind: PairedAnswers(*pair) for kind, pair in sides.items()}


def compared(
    rise: Rise,
    answers: PairedAnswers,
    alpha: float,
    kinds: Mapping[str, PairedAnswers] | None = None,
) -> Forgetting:
    """The comparison as it is told.

    Args:
        answers: to general instructions.
        kinds: those to others, by the name of their kind; none of them is empty.
        alpha: error allowed to each bound of the rise, and to the test of the answers.
    """
    difference = None if rise.doubt else rise.at(1 - alpha)
    before, after = rise.per_token(rise.before), rise.per_token(rise.after)
    gap = low = high = None
    if difference:
        gap, low, high = difference.value, difference.low, difference.high
    if rise.thin:
        low = high = None
    return Forgetting(
        before, after, gap, low, high, 1 - alpha, len(rise.places),
        len({rise.groups[place] for place in rise.places}), rise.tokens, rise.left_out,
        len(answers.after), sum(answers.before), sum(answers.after), answers.lost, answers.gained,
        answers.p, _compared(rise, difference) + _left_out(rise), _of_answers(answers, alpha),
        tuple(_of_kind(name, each, alpha) for name, each in (kinds or {}).items()),
        answers.possible_loss,
    )  # fmt: skip


def _of_kind(name: str, answers: PairedAnswers, alpha: float) -> AnsweredKind:
    """``Harmful requests refused: 41 of 60 before, 12 after (…), fewer than before.``"""
    p = stats.mcnemar_worse(answers.lost, answers.gained)
    before, after, asked = sum(answers.before), sum(answers.after), len(answers.before)
    if p < alpha:
        tail = "fewer than before"
    elif stats.mcnemar_worse(answers.gained, answers.lost) < alpha:
        tail = "more than before"
    else:
        tail = f"no evidence of fewer{answers.tail()}"
    sentence = (
        f"{name[:1].upper()}{name[1:]}: {before} of {asked} before, {after} after "
        f"({answers.lost} lost, {answers.gained} gained, exact one-sided p {p_value(p)}), {tail}."
    )
    return AnsweredKind(
        name, asked, before, after, answers.lost, answers.gained, p, p < alpha, sentence
    )


def _of_answers(answers: PairedAnswers, alpha: float) -> str:
    """``The model answers general instructions worse than before: 22 of 40 …``."""
    if answers.p is None:
        return ""
    tail = ""
    if answers.p < alpha:
        head = "The model answers general instructions worse than before"
    elif stats.mcnemar_worse(answers.gained, answers.lost) < alpha:
        head = "The model answers general instructions better than before"
    else:
        head = "No evidence that the model answers general instructions worse than before"
        tail = answers.tail()
    return (
        f"{head}: {sum(answers.before)} of {len(answers.before)} were answered right before, "
        f"{sum(answers.after)} after ({answers.lost} lost, {answers.gained} gained, exact "
        f"one-sided p {p_value(answers.p)}){tail}."
    )


def _compared(rise: Rise, difference: stats.Difference | None) -> str:
    if difference is None:
        return f"The loss on general text cannot be compared with the base model's: {rise.doubt}."
    moved = f"{signed(difference.value, DIGITS)} nats per token"
    if rise.thin or difference.low is None or difference.high is None:
        return f"On general text the loss changed by {moved}, but {rise.thin or NO_SPREAD}."
    moved += f" {interval(difference.low, difference.high, DIGITS, plus=True)}"
    perplexities = [perplexity(rise.per_token(side)) for side in (rise.before, rise.after)]
    figures = f"{moved}, perplexity {' to '.join(perplexities)}"
    if difference.low > 0:
        return f"The model predicts general text worse than before: {figures}."
    if difference.high < 0:
        return f"The model predicts general text better than before: {figures}."
    return f"No evidence that the model predicts general text worse than before: {figures}."


def _left_out(rise: Rise) -> str:
    if not rise.left_out:
        return ""
    texts = f"{rise.left_out} of {len(rise.places) + rise.left_out} texts"
    return f" {texts} left out: their loss is no finite number."


@dataclass(frozen=True)
class Case:
    """A guard on what probes ask, as one comparison of the family that the guards of a round are.

    Attributes:
        guard: of the config.
    """

    guard: Guard

    @property
    def limit(self) -> float:
        """What may be lost."""
        raise NotImplementedError

    @property
    def doubt(self) -> str:
        """Why it cannot be judged, or an empty string."""
        raise NotImplementedError

    @cached_property
    def alone(self) -> Verdict:
        """The verdict at 5 %, as if it were the only comparison."""
        return self.at(ALPHA)

    def at(self, alpha: float) -> Verdict:
        """*Regressed* where more is lost than the limit, at this error."""
        raise NotImplementedError

    def open(self, loss: float) -> str:
        """What is not excluded, in words; ``loss`` is the greatest."""
        raise NotImplementedError


@dataclass(frozen=True)
class RiseCase(Case):
    """A guard on the loss on general text.

    Attributes:
        rise: None where nothing was measured.
    """

    rise: Rise | None

    @property
    def limit(self) -> float:
        """Nats per token by which the loss may rise."""
        return self.guard.forgetting or 0.0

    @cached_property
    def doubt(self) -> str:
        if self.rise is None:
            return UNMEASURED
        if self.rise.doubt:
            return self.rise.doubt
        if self.rise.left_out:
            # What breaks a model shows on some texts first, and these would be left out.
            return _left_out(self.rise).strip().rstrip(".")
        if self.rise.thin:
            return self.rise.thin
        return NO_SPREAD if self.alone.low is None else ""

    def at(self, alpha: float) -> Verdict:
        level = 1 - alpha
        rise = None if self.rise is None or self.rise.doubt else self.rise.at(level)
        if rise is None or rise.low is None or rise.high is None:
            value = None if rise is None else -rise.value
            return Verdict("no evidence", "round 0", value, None, None, level, None, "")
        over = rise.low > self.limit
        sentence = (
            f"The loss on general text rose by {number(rise.value, DIGITS)} nats per token, by at "
            f"least {number(rise.low, DIGITS)} at {percent(level)} confidence ({rise.n} texts), "
            f"and {self.limit:g} is allowed."
            if over
            else ""
        )
        return Verdict(
            "regressed" if over else "no evidence", "round 0", -rise.value, -rise.high,
            -rise.low, level, None, sentence, rise.n, rise.groups,
        )  # fmt: skip

    def open(self, loss: float) -> str:
        at = f"{percent(1 - ALPHA)} confidence ({self.alone.n} texts)"
        return f"a rise of up to {number(loss, DIGITS)} nats per token is not excluded at {at}"


@dataclass(frozen=True)
class AnswersCase(Case):
    """A guard on instructions that a probe counts by themselves.

    Attributes:
        answers: None where nothing was asked.
    """

    answers: PairedAnswers | None

    @property
    def limit(self) -> float:
        """Share of the instructions by which fewer may be right."""
        return self.guard.max_loss or 0.0

    @property
    def doubt(self) -> str:
        return "" if self.answers else "these instructions were not asked"

    def at(self, alpha: float) -> Verdict:
        """Bounds of the share of answers gained less that of those lost."""
        level, answers = 1 - alpha, self.answers
        if answers is None:
            return Verdict("no evidence", "round 0", None, None, None, level, None, "")
        asked = len(answers.before)
        low, high = stats.share_bounds(answers.gained, answers.lost, asked, alpha)
        over = high < -self.limit
        sentence = (
            f"{sum(answers.before)} of {asked} before, {sum(answers.after)} after: "
            f"{percent(-high)} fewer at least, at {percent(level)} confidence, and "
            f"{percent(self.limit)} are allowed."
            if over
            else ""
        )
        return Verdict(
            "regressed" if over else "no evidence", "round 0",
            (answers.gained - answers.lost) / asked, low, high, level, None, sentence, asked, asked,
        )  # fmt: skip

    def open(self, loss: float) -> str:
        asked = self.alone.n
        return f"a loss of up to {percent(loss)} of {asked} answers is not excluded"


def with_measured(
    guards: Sequence[Guard], rise: Rise | None, answers: Mapping[str, PairedAnswers]
) -> list[Guard | Case]:
    """The guards, those on what probes ask with what was measured of it.

    Args:
        answers: kind of instruction -> both models' answers.
    """
    cases: list[Guard | Case] = []
    for guard in guards:
        if guard.answered is not None:
            cases.append(AnswersCase(guard, answers.get(guard.answered)))
        else:
            cases.append(guard if guard.forgetting is None else RiseCase(guard, rise))
    return cases


def guarded(case: Case, verdict: Verdict) -> GuardResult:
    """The guard's state: *held* only where a rise above the limit is excluded.

    Args:
        verdict: of the case, at the error that the guards of the round leave it.
    """
    loss = max(0.0, -(case.alone.low or 0.0))
    largest_loss, possible = None if case.doubt else loss, case.open(loss)
    state: GuardState
    if verdict.label == "regressed":
        state, sentence = "broken", verdict.sentence
    elif case.doubt:
        state, sentence = "cannot be judged", f"Cannot be judged against round 0: {case.doubt}."
    elif loss > case.limit:
        state, sentence = "cannot be judged", (
            f"Cannot be called held: {possible}, and {case.limit:g} is allowed."
        )  # fmt: skip
    else:
        state, sentence = "held", f"Held: {possible}, and {case.limit:g} is allowed."
    return GuardResult(
        case.guard.name(""), verdict, state, None, largest_loss, sentence,
        required=case.guard.required, max_loss=case.limit, refuses=state != "held",
    )  # fmt: skip
