"""Base models after the same training, each two of them compared: which are better, which tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

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
    beaten = dict.fromkeys(measured, 0)
    for pair in judged:
        if pair.label != "tied":
            beaten[pair.second if pair.label == "better" else pair.first] += 1
    places = {name: count + 1 for name, count in beaten.items()}
    return Ranking(places, judged, _sentence(places, judged, compared[0][1]))


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
    label = "tied"
    if pair.difference is not None and p < ALPHA and pair.difference != 0:
        label = "better" if pair.difference > 0 else "worse"
    return ModelPair(
        pair.first, pair.second, pair.difference, pair.low, pair.high,
        None if pair.p is None else p, label,  # type: ignore[arg-type]
    )  # fmt: skip


def _sentence(places: Mapping[str, int], pairs: Sequence[ModelPair], doubt: str) -> str:
    first = [name for name, place in places.items() if place == 1]
    if all(pair.difference is None for pair in pairs):
        return f"The models cannot be compared: {doubt or NO_SPREAD}."
    if len(first) == len(places):
        return f"No model is shown to be better than another: {_listed(first)} are tied."
    if len(first) == 1:
        beaten = [name for name in places if name != first[0]]
        if all(_beats(first[0], name, pairs) for name in beaten):
            return f"{first[0]} is better than {_listed(beaten)}."
        return f"{first[0]} is beaten by none."
    return f"{_listed(first)} are tied in the first place."


def _beats(first: str, second: str, pairs: Sequence[ModelPair]) -> bool:
    return any(
        (pair.first, pair.second, pair.label)
        in ((first, second, "better"), (second, first, "worse"))
        for pair in pairs
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
