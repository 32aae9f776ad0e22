"""Whether a checkpoint is better than another: improved, no evidence, or regressed.

The rule is in ``docs/verdicts.md`` for people and in :func:`judge` for the machine. One score
decides; rows are compared in pairs; doubt of any kind reads *no evidence*.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from harness import stats
from harness.records import Label, Measurement, Verdict
from harness.scoring import Entry, Groups
from harness.verdicts.pairs import NO_SPREAD, complete_pairs, differences

POWER = 0.8
ALPHA = 0.05


def alpha_of(rounds: int) -> float:
    """Error allowed to each one-sided bound when ``rounds`` verdicts are planned (Bonferroni)."""
    return ALPHA / max(1, rounds)


def level(rounds: int) -> float:
    """Confidence of each one-sided bound when ``rounds`` verdicts are planned."""
    return 1 - alpha_of(rounds)


def baseline_verdict(
    rounds: int = 1,
    *,
    detectable: float | None = None,
    sentence: str = "",
    n: int = 0,
    groups: int = 0,
) -> Verdict:
    """The verdict of round 0, which is compared with nothing.

    Args:
        detectable, sentence: what :func:`harness.verdicts.detectable_effect.foresee` says.
    """
    words = sentence or "The untouched model: what the rounds are compared with."
    return Verdict("baseline", "", None, None, None, level(rounds), detectable, words, n, groups)


def judge(
    entry: Entry,
    score_name: str,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
    groups: Groups,
    *,
    alpha: float,
    min_gain: float = 0.0,
    against: str = "",
    seed: int = 0,
    draws: int = stats.DRAWS,
) -> Verdict:
    """One checkpoint (``new``) against another on one score.

    *Improved* if the one-sided lower bound at level 1 - ``alpha`` is above ``min_gain``,
    *regressed* if the upper bound at the same level is below 0. Positive differences
    are better, whatever the metric's direction.

    Args:
        new, old: measurements of the same examples by ``entry``.
        groups: example id -> group.
        alpha: error allowed to each one-sided bound (:func:`alpha_of` the planned rounds).
        against: what the other checkpoint is called (``round 0``).
    """
    sure, place = 1 - alpha, entry.column(score_name)
    pairs = complete_pairs(entry, new, old, groups)
    gap = differences(entry, pairs, alpha, seed, draws)[place].gap if pairs.comparable else None
    value = gap.value if gap is not None and math.isfinite(gap.value) else None
    n, count = len(pairs.names), len(set(pairs.names))
    bounds = None if gap is None or pairs.doubt else _bounds(gap)
    shown = entry.titled(score_name)
    if gap is None or bounds is None:
        words = _doubtful(entry, shown, against, value, pairs.doubt or NO_SPREAD)
        return Verdict("no evidence", against, value, None, None, sure, None, words, n, count)
    low, high, se = bounds
    label: Label = "no evidence"
    if low > min_gain:
        label = "improved"
    elif high < 0:
        label = "regressed"
    least = min_gain + stats.detectable(se, sure, gap.effective, POWER) if se else None
    if se == 0 and value == 0:
        note = f"; {pairs.note}" if pairs.note else ""
        same = f"({support(n, count)}, none of which differs{note})"
        words = f"{_change(entry, shown, against, value)} {same}: no evidence."
    else:
        words = _decided(entry, shown, against, gap, label, least, min_gain, pairs.note)
    return Verdict(label, against, gap.value, low, high, sure, least, words, n, count)


def unlabelled(verdict: Verdict) -> Verdict:
    """The same comparison without a verdict, for rounds that only stand beside others."""
    if verdict.label == "control":
        return verdict
    # What is said of the form of answers, or of a guard, stands behind the label.
    head, label, remark = verdict.sentence.rpartition(f": {verdict.label}.")
    sentence = f"{head}.{remark}" if label else verdict.sentence
    return dataclasses.replace(verdict, label="control", sentence=sentence)


def contrast_arms(
    entry: Entry,
    score_name: str,
    a: Sequence[Measurement],
    b: Sequence[Measurement],
    groups: Groups,
    level: float = 0.95,
    seed: int = 0,
    *,
    draws: int = stats.DRAWS,
) -> tuple[float | None, float | None, float | None, str]:
    """Arm a (targeted rows) minus arm b (as many randomly drawn rows); positive is better.

    Returns:
        Difference, low and high of a two-sided interval at ``level``, and a sentence; three
        None where doubt forbids them.
    """
    pairs = complete_pairs(entry, a, b, groups, fill=False)
    sure, place = (1 + level) / 2, entry.column(score_name)
    gap = None if pairs.doubt else differences(entry, pairs, 1 - sure, seed, draws)[place].gap
    bounds = None if gap is None else _bounds(gap)
    if gap is None or bounds is None:
        doubt = pairs.doubt or NO_SPREAD
        return None, None, None, f"Targeted and random rows cannot be compared: {doubt}."
    low, high, _ = bounds
    outcome = "no evidence that targeting helped or harmed"
    if low > 0:
        outcome = "targeting did better in this run"
    elif high < 0:
        outcome = "targeting did worse in this run"
    show = number(entry)
    return (
        gap.value,
        low,
        high,
        (
            f"Targeted minus randomly drawn rows on {entry.titled(score_name)}, positive = "
            f"targeting is better: {show(gap.value)} ({percent(level)} interval {show(low)} to "
            f"{show(high)}; {support(gap.n, gap.groups)}): {outcome}. These are two single "
            "trainings; a claim about targeting as such needs several seeds."
        ),
    )


def _bounds(gap: stats.Difference) -> tuple[float, float, float] | None:
    if gap.low is None or gap.high is None or gap.se is None:
        return None
    return gap.low, gap.high, gap.se


def _decided(
    entry: Entry,
    score_name: str,
    against: str,
    gap: stats.Difference,
    label: Label,
    least: float | None,
    min_gain: float,
    note: str,
) -> str:
    show = number(entry)
    low, high = gap.low or 0.0, gap.high or 0.0
    if label == "improved":
        surely = f"better by at least {show(low)} at {percent(gap.level)} confidence"
    elif label == "regressed":
        surely = f"worse by at least {show(-high)} at {percent(gap.level)} confidence"
    else:
        surely = (
            f"the true gain may be anything from {show(low)} to {show(high)}, each end at "
            f"{percent(gap.level)} confidence"
        )
    asked = f"; a gain above {show(min_gain)} is asked for" if min_gain else ""
    seen = ""
    if least is not None:
        seen = f"; minimum detectable effect {show(least)} at {percent(POWER)} power"
    counted = f"; {note}" if note else ""
    return (
        f"{_change(entry, score_name, against, gap.value)} ({surely}{asked}; "
        f"{support(gap.n, gap.groups)}{counted}{seen}): {label}."
    )


def _doubtful(entry: Entry, score_name: str, against: str, value: float | None, doubt: str) -> str:
    if value is None:
        than = f" with {against}" if against else ""
        return f"{score_name} cannot be compared{than}: {doubt}: no evidence."
    return f"{_change(entry, score_name, against, value)}, but {doubt}: no evidence."


def _change(entry: Entry, score_name: str, against: str, value: float) -> str:
    """``rougeL rose by 0.121 against round 0``, in the score's own direction."""
    than = f" against {against}" if against else ""
    if value == 0:
        return f"{score_name} did not change{than}"
    rose = (value > 0) == entry.metric.higher_is_better
    note = "" if entry.metric.higher_is_better else " (lower is better)"
    verb = "rose" if rose else "fell"
    return f"{score_name} {verb} by {number(entry)(abs(value))}{than}{note}"


def number(entry: Entry) -> Callable[[float], str]:
    """Prints values of this metric: 3 decimals up to a span of 1, 2 up to 100."""
    least, most = entry.metric.bounds
    span = most - least
    decimals = 3 if span <= 1 else 2 if span <= 100 else None

    def show(value: float) -> str:
        fixed = f"{value:.3g}" if decimals is None else f"{value:.{decimals}f}"
        return f"{value:.1g}" if value and float(fixed) == 0 else fixed

    return show


def support(rows: int, groups: int) -> str:
    return f"{rows} rows in {groups} groups"


def percent(share: float) -> str:
    """With as many decimals as it takes not to read 100 % where it is less."""
    for decimals in range(1, 8):
        shown = f"{100 * share:.{decimals}f}"
        if share >= 1 or float(shown) < 100:
            break
    return shown.removesuffix(".0") + " %"
