"""Simulated loops: a base model and its rounds answer questions, with known chances of success.

The answers are real predictions, scored by the metric ``exact`` and compared by
:func:`harness.compare_systems`, as ``harness score --baseline`` does with three files of answers.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import harness

ROWS = 200
ROUNDS = 3
SUCCESS = 0.7
"""Mean chance that the base model answers a question correctly."""
EASIEST, HARDEST = 1.0, 0.4
"""Questions differ: their chances are spread evenly between these two."""


@dataclass(frozen=True, slots=True)
class Round:
    """One trained round.

    Attributes:
        score: share of correct answers.
        compared: with the base model, corrected for the number of rounds.
    """

    score: float
    compared: harness.Comparison


@dataclass(frozen=True, slots=True)
class Loop:
    """A base model and its rounds on the same questions."""

    base: float
    rounds: Sequence[Round]

    @property
    def celebrated(self) -> bool:
        """Whether the naive rule finds a gain: some round scores above the base model."""
        return any(round_.score > self.base for round_ in self.rounds)

    @property
    def improved(self) -> bool:
        """Whether the verdict of any round is *improved*."""
        return any(round_.compared.label == "improved" for round_ in self.rounds)


def simulated(gain: float, seed: int, number: int) -> Loop:
    """A loop whose rounds are all better than the base model by the same ``gain``.

    Args:
        gain: mean difference in the chance of a correct answer; 0 for equally good rounds.
        seed: of the answers.
        number: of the loop, which is the same one each time.
    """
    draw = random.Random(f"{seed}/{gain}/{number}")
    base = _answered(draw, 0.0)
    cards = {f"round {k}": _answered(draw, gain) for k in range(1, ROUNDS + 1)}
    compared = harness.compare_systems(cards, base)
    rounds = [Round(_share(card), compared[name]["exact"]) for name, card in cards.items()]
    return Loop(_share(base), rounds)


@functools.cache
def _questions() -> Sequence[harness.Example]:
    return [
        harness.Example(f"q{place}", ({"role": "user", "content": f"{place}?"},), ("yes",))
        for place in range(ROWS)
    ]


@functools.cache
def _metrics() -> Sequence[harness.MetricEntry]:
    return harness.make_metrics({"exact": {}})


def _answered(draw: random.Random, gain: float) -> harness.Scorecard:
    """One system's answers. A gain takes the same share of the failures from every question."""
    wrong_share = 1 - gain / (1 - SUCCESS)
    predictions = []
    for place, row in enumerate(_questions()):
        success = EASIEST - (EASIEST - HARDEST) * place / (ROWS - 1)
        correct = draw.random() < 1 - (1 - success) * wrong_share
        predictions.append(harness.Prediction(row.id, "yes" if correct else "no"))
    return harness.evaluate(_questions(), predictions, _metrics(), workers=1)


def _share(card: harness.Scorecard) -> float:
    values: Mapping[str, Mapping[str, float]] = card.values
    return sum(row["exact"] for row in values.values()) / len(values)
