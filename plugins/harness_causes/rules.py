"""The rules: from signals to the likeliest cause, the first that speaks decides.

The order goes from what is seen directly (a cut answer) to what is inferred (from neighbours).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from harness import Example
from harness.kit.numbers import percent
from harness.kit.text import one_line
from harness_causes import catalogue
from harness_causes.coverage import Near
from harness_causes.options import CausesOptions
from harness_causes.replies import Reply, shown

SHARED = 0.8
"""Word overlap with a reference from which a wrong answer reads like a right one."""
NAMED = 3
"""Training rows named in a sentence."""
HALF = 0.5
SOME = 0.1
"""Share of near rows with the right answer that is more than a chance find."""


@dataclass(frozen=True, slots=True)
class Signals:
    """All that is known of one wrong answer.

    Attributes:
        near: None where no training row is known (round 0).
        train: the training rows, for their names.
        score: the primary score's name.
        listed: how many answers there are in a train that teaches a short list of them, where
            the reference is one of these and the answer is none; else 0.
    """

    reply: Reply
    near: Near | None
    train: Sequence[Example]
    score: str
    listed: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, the numbers behind it, and the places in train that it speaks of."""

    cause: str
    evidence: str
    rows: tuple[int, ...] = ()


Rule = Callable[[Signals, CausesOptions], Finding | None]


def decide(signals: Signals, options: CausesOptions) -> Finding:
    """The finding of the first rule that speaks, else ``unknown`` with what is missing."""
    for rule in RULES:
        finding = rule(signals, options)
        if finding is not None:
            return finding
    return _unknown(signals)


def _cut(signals: Signals, options: CausesOptions) -> Finding | None:
    reply = signals.reply
    if not reply.cut:
        return None
    tokens = "the limit of tokens" if reply.tokens is None else f"{reply.tokens} tokens"
    longest = f", the longest reference has {reply.longest}" if reply.longest else ""
    return Finding(catalogue.CUT, f"cut at {tokens} after {reply.words} words{longest}")


def _forgetting(signals: Signals, options: CausesOptions) -> Finding | None:
    reply = signals.reply
    if not reply.base_right or signals.near is None:
        return None
    before = shown({signals.score: reply.base_value})
    now = shown({signals.score: reply.value})
    return Finding(
        catalogue.FORGETTING, f"right before training ({before}), wrong after it ({now})"
    )


def _narrow(signals: Signals, options: CausesOptions) -> Finding | None:
    reply = signals.reply
    if not reply.exact:  # other numbers or calls are another answer, however alike the words
        return None
    if reply.shared >= SHARED:
        return Finding(
            catalogue.NARROW,
            f"the overlap (F1) of its words with those of a reference is {reply.shared:.2f}, yet "
            f"it counts as wrong by {signals.score}",
        )
    if reply.good_by and len(reply.good_by) >= HALF * reply.asked:
        return Finding(
            catalogue.NARROW,
            f"{len(reply.good_by)} of {reply.asked} other scores "
            f"({', '.join(reply.good_by[:NAMED])}) put it with the better half of the right "
            "answers",
        )
    return None


def _disputed(signals: Signals, options: CausesOptions) -> Finding | None:
    """Near rows have near copies with other answers."""
    near = signals.near
    if near is None or near.disputed < HALF:
        return None
    rows = near.disputes
    return Finding(
        catalogue.CONFLICT,
        f"{_share_of_nearest(near, near.disputed)} have a near copy with another answer"
        f"{_names(rows, signals.train)}",
        rows,
    )


def _torn(signals: Signals, options: CausesOptions) -> Finding | None:
    """The same where some near rows teach the right answer: that speaks louder than distance."""
    near = signals.near
    return _disputed(signals, options) if near is not None and near.support >= SOME else None


def _far(signals: Signals, options: CausesOptions) -> Finding | None:
    near = signals.near
    if near is None or near.support >= HALF:
        return None
    if not near.rows and near.pooled == 1:
        return Finding(catalogue.GAP, "no training row has a word in common with the prompt")
    if near.rank is None or near.rank >= _least_usual_rank(options.far, near.pooled):
        return None
    mean = f" (a mean over {_pooled_answers(near)})" if near.pooled > 1 else ""
    return Finding(
        catalogue.GAP,
        f"{percent(1 - near.rank)} of the training rows have a nearer row among themselves than "
        f"this prompt has{mean}; its nearest row has similarity {near.best:.2f}",
        tuple(place for place, _ in near.rows[:1]),
    )


def _least_usual_rank(far: float, rows: int) -> float:
    """Mean rank under which that many prompts, covered as train covers itself, would stay with
    the chance ``far``: ranks are then uniform, with a variance of 1/12 (normal approximation)."""
    return 0.5 + NormalDist().inv_cdf(far) / math.sqrt(12 * rows)


def _outvoted(signals: Signals, options: CausesOptions) -> Finding | None:
    near = signals.near
    if near is None or near.voice < options.voice:
        return None
    gave = ", and the model gave theirs" if near.followed else ""
    return Finding(
        catalogue.CONFLICT,
        f"{_share_of_nearest(near, near.voice)} agree on another answer than the reference{gave}"
        f"{_names(near.voices, signals.train)}",
        near.voices,
    )


def _untaught(signals: Signals, options: CausesOptions) -> Finding | None:
    near = signals.near
    if near is None or near.taught is not False or near.support > 0:
        return None
    return Finding(
        catalogue.GAP,
        f"no training row has an answer like the reference; the nearest prompt has similarity "
        f"{near.best:.2f}",
        tuple(place for place, _ in near.rows[:1]),
    )


def _reworded(signals: Signals, options: CausesOptions) -> Finding | None:
    """Train teaches the right label, and the model gave none of the labels that there are."""
    near = signals.near
    if near is None or near.support < HALF or not signals.listed:
        return None
    return Finding(
        catalogue.LABEL,
        f"the answer is none of the {signals.listed} answers that train teaches, though "
        f"{_share_of_nearest(near, near.support)} teach the reference's",
        near.supporters,
    )


def _capacity(signals: Signals, options: CausesOptions) -> Finding | None:
    near = signals.near
    if near is None or near.support < HALF:
        return None
    return Finding(
        catalogue.CAPACITY,
        f"{_share_of_nearest(near, near.support)} teach the reference's answer"
        f"{_names(near.supporters, signals.train)}",
        near.supporters,
    )


RULES: tuple[Rule, ...] = (
    _cut, _forgetting, _narrow, _torn, _far, _disputed, _outvoted, _untaught, _reworded,
    _capacity,
)  # fmt: skip
"""In order of priority."""


def _unknown(signals: Signals) -> Finding:
    near = signals.near
    if near is None:
        return Finding(
            catalogue.UNKNOWN, "no training rows are known, and the answer itself shows nothing"
        )
    return Finding(
        catalogue.UNKNOWN,
        f"of the {len(near.rows)} nearest training rows (nearest similarity {near.best:.2f}) "
        f"{percent(near.support)} agree with the reference and {percent(near.voice)} with each "
        "other on another answer",
        tuple(place for place, _ in near.rows),
    )


def _share_of_nearest(near: Near, share: float) -> str:
    mean = f" over {_pooled_answers(near)}" if near.pooled > 1 else ""
    return f"{percent(share)} of the {len(near.rows)} nearest training rows (by similarity{mean})"


def _pooled_answers(near: Near) -> str:
    return f"the {near.pooled} wrong answers that want the same reply"


def _names(places: Sequence[int], train: Sequence[Example]) -> str:
    """``: 'id' (place), …``: the first few of these training rows; empty for none."""
    if not places:
        return ""
    named = []
    for row in (train[place] for place in places[:NAMED]):
        place = f" ({one_line(row.place, 80)})" if row.place not in ("", row.id) else ""
        named.append(f"'{one_line(row.id, 60)}'{place}")
    more = len(places) - len(named)
    return f": {', '.join(named)}" + (f" and {more} more" if more > 0 else "")
