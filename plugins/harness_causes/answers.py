"""When two answers say the same: the words that they share, the rare ones above all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.kit.alike.words import words


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is compared.

    Attributes:
        worth: word -> occurrences times weight.
        total: the sum of these.
        words: their number, unweighted.
        figures: the words that hold a digit, with occurrences.
    """

    worth: Mapping[str, float]
    total: float
    words: int
    figures: Mapping[str, int]


class Reader:
    """Reads answers; a word weighs ``ln((N + 1) / df)``, ``df`` of ``N`` texts hold it.

    So answers that share only a frame (``The heading is …``, the keys of a JSON object) have
    next to nothing in common.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        held: Counter[str] = Counter()
        size = 0
        for text in texts:
            held.update(set(words(text)))
            size += 1
        self._weights = {word: math.log((size + 1) / rows) for word, rows in held.items()}
        self._unknown = math.log(size + 1) or 1.0

    def read(self, text: str) -> Answer:
        counts = Counter(words(text))
        worth = {w: n * self._weights.get(w, self._unknown) for w, n in counts.items()}
        figures = {w: n for w, n in counts.items() if any(map(str.isdigit, w))}
        return Answer(worth, sum(worth.values()), counts.total(), figures)


def agreement(answer: Answer, other: Answer) -> float:
    """F1 of two bags of weighted words, 0 to 1; where one is empty, 1 if both are, else 0."""
    if answer.worth == other.worth:
        return 1.0
    if not answer.words or not other.words:
        return 0.0
    shared = answer.worth.keys() & other.worth.keys()
    # A set has no order, and a plain sum would depend on it.
    common = math.fsum(min(answer.worth[word], other.worth[word]) for word in shared)
    return 2 * common / (answer.total + other.total)


def best_agreement(answer: Answer, references: Iterable[Answer]) -> float:
    """Agreement with the reference that is most like the answer; 0 without any."""
    return max((agreement(answer, reference) for reference in references), default=0.0)


def same_figures(answer: Answer, references: Iterable[Answer]) -> bool:
    """Whether the answer has just the numbers of one of the references."""
    return any(answer.figures == reference.figures for reference in references)
