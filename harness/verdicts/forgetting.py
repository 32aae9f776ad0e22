"""Whether a training made the model worse at general text: loss per token, before and after.

Texts are paired. The loss per token is the sum of all losses over the number of all tokens, and its
difference has a bootstrap interval over whole texts. It is no result of the task.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness import stats
from harness.config.aims import Guard
from harness.kit.numbers import interval, number, perplexity, signed
from harness.records import Forgetting, GuardResult, GuardState, Verdict
from harness.stats.decision import ALPHA, NO_SPREAD, usable
from harness.verdicts.sentences import percent

LEVEL = 0.975
"""Of each bound of the interval that is shown."""
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
        seed: of the bootstrap.
    """

    before: Losses
    after: Losses
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
        groups = np.arange(len(self.places))
        (found,) = stats.difference(_per_token, after, before, groups, self.seed, level)
        return found


def _per_token(sums: stats.Floats, _: stats.Floats) -> stats.Floats:
    ratio: stats.Floats = sums[..., :1] / sums[..., 1:]
    return ratio


def compared(rise: Rise, right_before: Sequence[bool], right_after: Sequence[bool]) -> Forgetting:
    """The comparison as it is told."""
    found = None if rise.doubt else rise.at(LEVEL)
    before, after = rise.per_token(rise.before), rise.per_token(rise.after)
    gap, low, high = (found.value, found.low, found.high) if found else (None, None, None)
    return Forgetting(
        before, after, gap, low, high, len(rise.places), rise.tokens, rise.left_out,
        len(right_after), sum(right_before), sum(right_after), _sentence(rise, found),
    )  # fmt: skip


def _sentence(rise: Rise, found: stats.Difference | None) -> str:
    return _compared(rise, found) + _left_out(rise)


def _compared(rise: Rise, found: stats.Difference | None) -> str:
    if found is None:
        return f"The loss on general text cannot be compared with the base model's: {rise.doubt}."
    moved = f"{signed(found.value, DIGITS)} nats per token"
    if found.low is None or found.high is None:
        return f"On general text the loss changed by {moved}, but {NO_SPREAD}."
    moved += f" {interval(found.low, found.high, DIGITS, plus=True)}"
    perplexities = [perplexity(rise.per_token(side)) for side in (rise.before, rise.after)]
    figures = f"{moved}, perplexity {' to '.join(perplexities)}"
    if found.low > 0:
        return f"The model predicts general text worse than before: {figures}."
    if found.high < 0:
        return f"The model predicts general text better than before: {figures}."
    return f"No evidence that the model predicts general text worse than before: {figures}."


def _left_out(rise: Rise) -> str:
    if not rise.left_out:
        return ""
    texts = f"{rise.left_out} of {len(rise.places) + rise.left_out} texts"
    return f" {texts} left out: their loss is no finite number."


@dataclass(frozen=True)
class Case:
    """A guard on forgetting, as one comparison of the family that the guards of a round are.

    Attributes:
        guard: of the config.
        rise: None where nothing was measured.
    """

    guard: Guard
    rise: Rise | None

    @property
    def limit(self) -> float:
        """Nats per token by which the loss may rise."""
        return self.guard.forgetting or 0.0

    @cached_property
    def doubt(self) -> str:
        """Why it cannot be judged, or an empty string."""
        if self.rise is None:
            return UNMEASURED
        if self.rise.doubt:
            return self.rise.doubt
        if self.rise.left_out:
            # What breaks a model shows on some texts first, and these would be left out.
            return _left_out(self.rise).strip().rstrip(".")
        if doubt := usable([str(place) for place in self.rise.places]):
            return doubt.replace("rows", "texts")
        return NO_SPREAD if self.alone.low is None else ""

    @cached_property
    def alone(self) -> Verdict:
        """The verdict at 5 %, as if it were the only comparison."""
        return self.at(ALPHA)

    def at(self, alpha: float) -> Verdict:
        """*Regressed* where the loss rose by more than the limit, at this error."""
        level = 1 - alpha
        found = None if self.rise is None or self.rise.doubt else self.rise.at(level)
        if found is None or found.low is None or found.high is None:
            value = None if found is None else -found.value
            return Verdict("no evidence", "round 0", value, None, None, level, None, "")
        over = found.low > self.limit
        sentence = (
            f"The loss on general text rose by {number(found.value, DIGITS)} nats per token, by at "
            f"least {number(found.low, DIGITS)} at {percent(level)} confidence ({found.n} texts), "
            f"and {self.limit:g} is allowed."
            if over
            else ""
        )
        return Verdict(
            "regressed" if over else "no evidence", "round 0", -found.value, -found.high,
            -found.low, level, None, sentence, found.n, found.groups,
        )  # fmt: skip


def with_rise(guards: Sequence[Guard], rise: Rise | None) -> list[Guard | Case]:
    """The guards, those on general text with what was measured of it."""
    return [guard if guard.forgetting is None else Case(guard, rise) for guard in guards]


def guarded(case: Case, verdict: Verdict) -> GuardResult:
    """The guard's state: *held* only where a rise above the limit is excluded.

    Args:
        verdict: of the case, at the error that the guards of the round leave it.
    """
    rise = max(0.0, -(case.alone.low or 0.0))
    known = None if case.doubt else rise
    at = f"at {percent(1 - ALPHA)} confidence ({case.alone.n} texts)"
    may = f"a rise of up to {number(rise, DIGITS)} nats per token is not excluded {at}"
    state: GuardState
    if verdict.label == "regressed":
        state, sentence = "broken", verdict.sentence
    elif case.doubt:
        state, sentence = "cannot be judged", f"Cannot be judged against round 0: {case.doubt}."
    elif rise > case.limit:
        state, sentence = "cannot be judged", (
            f"Cannot be called held: {may}, and {case.limit:g} is allowed."
        )  # fmt: skip
    else:
        state, sentence = "held", f"Held: {may}, and {case.limit:g} is allowed."
    return GuardResult(
        case.guard.name(""), verdict, state, None, known, sentence,
        required=case.guard.required, max_loss=case.limit, refuses=state != "held",
    )  # fmt: skip
