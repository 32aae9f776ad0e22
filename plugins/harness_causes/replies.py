"""Signals of the answers themselves: cut, right before training, right by other scores."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness import Evidence, ScoredExample
from harness_causes.answers import Answer, best_agreement, same_figures

LEAST = 10
"""Right answers, and wrong ones, from which another score's meaning can be learned."""
SEPARATES = 0.75
"""Chance that a score puts a right answer before a wrong one, from which it is asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one wrong answer shows.

    Attributes:
        cut: ended by the limit of tokens, not in a loop, no longer than the longest reference.
        tokens: generated, None where unknown.
        base_right: whether the base model was right; None = cannot be said.
        base_value, value: the primary score then and now.
        shared: greatest overlap (F1) of weighted words with a reference.
        exact: whether what has no other words, numbers and calls of tools, is that of a reference.
        good_by, asked: other scores that count it as good, of how many that can tell.
        words, longest: of the answer, and of the longest reference.
    """

    cut: bool
    tokens: int | None
    base_right: bool | None
    base_value: float | None
    value: float | None
    shared: float
    exact: bool
    good_by: tuple[str, ...]
    asked: int
    words: int
    longest: int


class Replies:
    """Reads the answers of one round; what is learned from all of them is learned once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._base = {row.example.id: row for row in evidence.base}
        self._cut = _labelled(evidence, "cut off")
        self._looping = _labelled(evidence, "repetition loop")
        right = [row for row in evidence.scored if evidence.right.get(row.example.id) is True]
        wrong = [row for row in evidence.scored if evidence.right.get(row.example.id) is False]
        names = sorted({name for row in evidence.scored for name in row.values})
        bars = {n: _bar(_values(right, n), _values(wrong, n)) for n in names}
        self._bars = {n: bar for n, bar in bars.items() if bar and n != evidence.score}

    def read(self, row: ScoredExample, answer: Answer, references: Sequence[Answer]) -> Reply:
        """The signals of one wrong answer."""
        longest = max((reference.words for reference in references), default=0)
        base = self._base.get(row.example.id)
        asked = {n: v for n in self._bars if (v := row.values.get(n)) is not None}
        good = tuple(n for n, value in asked.items() if _reaches(value, self._bars[n]))
        return Reply(
            cut=self._is_cut(row) and (not references or answer.words <= longest),
            tokens=row.prediction.completion_tokens,
            base_right=self.evidence.base_right.get(row.example.id),
            base_value=None if base is None else base.values.get(self.evidence.score),
            value=row.values.get(self.evidence.score),
            shared=best_agreement(answer, references),
            exact=same_figures(answer, references) and _same_calls(row),
            good_by=good,
            asked=len(asked),
            words=answer.words,
            longest=longest,
        )

    def _is_cut(self, row: ScoredExample) -> bool:
        ended = row.prediction.finish_reason == "length" or row.example.id in self._cut
        return ended and row.example.id not in self._looping


def _labelled(evidence: Evidence, category: str) -> frozenset[str]:
    return frozenset(lab.example_id for lab in evidence.labels if lab.category == category)


def _values(rows: Iterable[ScoredExample], name: str) -> list[float]:
    values = (row.values.get(name) for row in rows)
    return [value for value in values if value is not None and math.isfinite(value)]


Bar = tuple[float, float]
"""Direction (1 or -1) and, in that direction, the value from which an answer is good."""


def _same_calls(row: ScoredExample) -> bool:
    """Whether the answer calls what a reference does; where nothing is called, too."""
    example = row.example
    calls = example.answer(row.prediction.text).calls
    return not example.tools or any(
        example.answer(text).calls == calls for text in example.references
    )


def _bar(right: Sequence[float], wrong: Sequence[float]) -> Bar | None:
    """The median of the right answers, for a score that tells right from wrong ones."""
    if len(right) < LEAST or len(wrong) < LEAST:
        return None
    chance = _before(right, wrong)
    sign = 1.0 if chance >= 0.5 else -1.0
    if max(chance, 1 - chance) < SEPARATES:
        return None
    return sign, sign * statistics.median(right)


def _before(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Share of the pairs in which the right answer has the greater value; ties count half."""
    ordered = sorted(wrong)
    below = sum(bisect_left(ordered, v) + bisect_right(ordered, v) for v in right)
    return below / (2 * len(right) * len(wrong))


def _reaches(value: float, bar: Bar) -> bool:
    sign, least = bar
    return sign * value >= least


def shown(values: Mapping[str, float | None]) -> str:
    """Scores in words, for an evidence sentence."""
    return ", ".join(f"{n} {v:.3g}" for n, v in values.items() if v is not None)
