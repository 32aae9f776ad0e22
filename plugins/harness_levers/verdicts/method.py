"""A training with several seeds against another side: a verdict on the method, not on one model.

Seeds and the groups of rows are both drawn at random (:mod:`harness.stats.crossed_means`), so the
bounds allow for other seeds and for other rows. They lie around the mean difference of the shown
scores.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from harness import Label, Measurement, Verdict, stats
from harness.kit.numbers import at_least
from harness.stats import decision
from harness.stats.decision import NO_SPREAD
from harness.stats.groups import score as score_of, totals
from harness.verdicts import sentences
from harness.verdicts.pairs import Pairs, complete_pairs
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent, support

LEAST_SEEDS = 5
"""Fewer carry no verdict on a method."""


def judge(
    score: DecidingScore,
    new: Sequence[Sequence[Measurement]],
    old: Sequence[Sequence[Measurement]],
    *,
    alpha: float,
    min_gain: float = 0.0,
    against: str = "",
    seeds: Sequence[int] = (),
) -> Verdict:
    """The method behind ``new`` against ``old``, on one score.

    Args:
        new, old: for each seed, measurements of the same examples by the score's metric. A side
            without seeds of its own, such as the base model, is there once for each.
        alpha: error allowed to each one-sided bound.
        min_gain: as for a round.
        against: what the other side is called.
        seeds: what each seed is called; by default 1, 2 and so on.
    """
    entry, sure = score.entry, 1 - alpha
    pairs = [complete_pairs(entry, *sides, score.groups) for sides in zip(new, old, strict=True)]
    doubt = _doubt(pairs)
    n, groups = len(pairs[0].names), len(set(pairs[0].names))
    if doubt:
        words = sentences.undecided(entry, score.title, against, None, doubt)
        return Verdict("no evidence", against, None, None, None, sure, None, words, n, groups)
    shown = [_difference(score, pair) for pair in pairs]
    difference = dataclasses.replace(_crossed(score, pairs), value=float(np.mean(shown)))
    low, high = difference.bounds(sure)
    if low is None or high is None or difference.se is None or difference.df is None:
        words = sentences.undecided(entry, score.title, against, difference.value, NO_SPREAD)
        return Verdict(
            "no evidence", against, difference.value, None, None, sure, None, words, n, groups
        )
    label = decision.label(low, high, min_gain=min_gain)
    words = _sentence(
        score, difference, (low, high), label, against, sure, support(n, groups), min_gain
    )
    words += _far_off(score, shown, seeds or range(1, len(shown) + 1))
    return Verdict(label, against, difference.value, low, high, sure, None, words, n, groups)


def _difference(score: DecidingScore, pair: Pairs) -> float:
    """New minus old in the scores as they are shown, positive = better."""
    entry = score.entry
    new, old = (
        float(score_of(entry.aggregate, totals(side))[entry.column(score.name)])
        for side in (pair.new, pair.old)
    )
    return new - old if entry.metric.higher_is_better else old - new


def _far_off(score: DecidingScore, shown: Sequence[float], seeds: Sequence[int]) -> str:
    """Names the seed whose difference lies far off those of the others, if there is one."""
    place = stats.far_off(shown)
    if place is None:
        return ""
    show = number(score.entry)
    others = [value for at, value in enumerate(shown) if at != place]
    return (
        f" Seed {seeds[place]} lies far off ({show(shown[place])}, where the others lie between "
        f"{show(min(others))} and {show(max(others))}): look at its training. Bounds over "
        f"{len(shown)} seeds are too narrow where such trainings are part of the method."
    )


def _crossed(score: DecidingScore, pairs: Sequence[Pairs]) -> stats.Crossed:
    entry = score.entry
    column, sign = entry.column(score.name), 1 if entry.metric.higher_is_better else -1
    cells = np.stack([
        sign * (
            stats.pseudo_values(entry.aggregate, pair.new, pair.names)
            - stats.pseudo_values(entry.aggregate, pair.old, pair.names)
        )[:, column]
        for pair in pairs
    ])  # fmt: skip
    return stats.crossed(cells)


def _doubt(pairs: Sequence[Pairs]) -> str:
    if len(pairs) < LEAST_SEEDS:
        return f"there are {len(pairs)} seeds, and a verdict on a method needs {LEAST_SEEDS}"
    first = pairs[0]
    for pair in pairs:
        if pair.doubt:
            return pair.doubt
        if pair.ids != first.ids:
            return "not all seeds have the same rows scored"
    return (
        ""
        if all(np.isfinite(pair.new).all() and np.isfinite(pair.old).all() for pair in pairs)
        else NO_SPREAD
    )


def _sentence(
    score: DecidingScore,
    difference: stats.Crossed,
    bounds: tuple[float, float],
    label: Label,
    against: str,
    sure: float,
    rows: str,
    min_gain: float,
) -> str:
    show, (low, high) = number(score.entry), bounds
    change = sentences.change(score.entry, score.title, against, difference.value)
    if label == "no evidence":
        surely = f"the true gain lies between {show(low)} and {show(high)}, each bound at"
    else:
        surely = f"by {at_least(low if label == 'improved' else -high, show)} at"
    share = (
        ""
        if difference.of_seeds is None or not math.isfinite(difference.of_seeds)
        else (f"; {percent(difference.of_seeds)} of the variance is due to seeds")
    )
    required = sentences.required(score.entry, min_gain)
    return (
        f"{label}: over {difference.seeds} seeds, {change}; {surely} {percent(sure)} confidence, "
        f"for other seeds and other rows ({rows}){required}{share}."
    )
