"""Base models after the same training, each two of them compared: which are better, which tied."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from itertools import combinations
from typing import Literal

from harness import Measurement, stats
from harness.stats.decision import ALPHA, NO_SPREAD
from harness.verdicts.pairs import complete_pairs
from harness.verdicts.rule import DecidingScore
from harness_levers.records import ModelPair, Ranking


def rank(score: DecidingScore, measured: Mapping[str, Sequence[Measurement]]) -> Ranking:
    """The ranking of two models or more.

    Two models differ if Holm's method, over all pairs, rejects at .05 (two-sided) that they are
    equal. A model's place is one more than the number of models that are shown to be better.

    Args:
        measured: model -> measurements of the same examples by the score's metric.
    """
    compared = [
        _compared(score, measured, *two, len(measured)) for two in combinations(measured, 2)
    ]
    pairs = [pair for pair, _ in compared]
    adjusted = stats.holm([pair.p for pair in pairs])
    judged = tuple(_labelled(pair, float(p)) for pair, p in zip(pairs, adjusted, strict=True))
    wins = {
        (pair.first, pair.second) if pair.label == "better" else (pair.second, pair.first)
        for pair in judged
        if pair.label != "tied"
    }
    places = {name: 1 + sum(loser == name for _, loser in wins) for name in measured}
    doubt = compared[0][1] or NO_SPREAD
    if all(pair.difference is None for pair in judged):
        return Ranking(places, judged, f"The models cannot be compared: {doubt}.")
    return Ranking(places, judged, _sentence(places, wins))


def _compared(
    score: DecidingScore,
    measured: Mapping[str, Sequence[Measurement]],
    first: str,
    second: str,
    models: int,
) -> tuple[ModelPair, str]:
    """Two models, with simultaneous bounds of all pairs (Bonferroni) at 95 %; and why there are
    none, if there are none.
    """
    count = models * (models - 1) // 2
    pairs = complete_pairs(score.entry, measured[first], measured[second], score.groups, fill=False)
    gap = None if pairs.doubt else score.difference(pairs, ALPHA / 2 / count)
    if gap is None:
        return ModelPair(first, second, None, None, None, None, "tied"), pairs.doubt
    return ModelPair(first, second, gap.value, gap.low, gap.high, gap.p, "tied"), ""


def _labelled(pair: ModelPair, p: float) -> ModelPair:
    """The pair with its adjusted p, if it has any, and what follows from that."""
    label: Literal["better", "worse", "tied"] = "tied"
    if pair.difference and p < ALPHA:
        label = "better" if pair.difference > 0 else "worse"
    return dataclasses.replace(pair, p=None if pair.p is None else p, label=label)


def _sentence(places: Mapping[str, int], wins: Set[tuple[str, str]]) -> str:
    """Which model is better than which.

    Args:
        wins: the better and the worse model of each two that are not tied.
    """
    first = [name for name, place in places.items() if place == 1]
    others = [name for name in places if name not in first]
    if not others:
        return f"No model is shown to be better than another: {_listed(first)} are tied."
    if len(first) > 1:
        return f"{_listed(first)} are tied in the first place."
    if all((first[0], name) in wins for name in others):
        return f"{first[0]} is better than {_listed(others)}."
    return f"{first[0]} is beaten by none."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
