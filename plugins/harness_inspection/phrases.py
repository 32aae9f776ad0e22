"""Words and short phrases that one set of answers uses more than another."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 3
SUPPORT = 5
"""Answers of one side in which a phrase has to stand."""
CLEAR = 2.0
"""Standard errors by which its log-odds have to differ from 0."""
MOST_ANSWERS = 10_000
MOST_WORDS = 2_000

Words = tuple[str, ...]

_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with the answers that hold it.

    Attributes:
        a, b: answers of each side.
        log_odds: of b against a, with half an answer added to every count.
        z: the same in standard errors; it orders phrases, and tests nothing.
    """

    phrase: str
    a: int
    b: int
    log_odds: float
    z: float


def phrases(
    a: Sequence[str], b: Sequence[str], most: int = 10
) -> tuple[list[Phrase], list[Phrase]]:
    """What ``a`` uses more, and what ``b`` uses more, the clearest first.

    Phrases of one to three words, without case and punctuation. A phrase counts once in an
    answer. Every answer is read: see :func:`sampled`.
    """
    first, second = _read(a), _read(b)
    weighed = [
        _phrase(words, ours, theirs, len(first), len(second))
        for words, (ours, theirs) in _counts(first, second).items()
    ]
    clear = [phrase for phrase in weighed if abs(phrase.z) >= CLEAR]
    clear.sort(key=lambda phrase: (-abs(phrase.z), -len(phrase.phrase), phrase.phrase))
    return (
        _telling([phrase for phrase in clear if phrase.z < 0], most),
        _telling([phrase for phrase in clear if phrase.z > 0], most),
    )


def sampled(texts: Sequence[str]) -> Sequence[str]:
    """All of them, or 10,000 at most, evenly spaced: counts are then of these alone."""
    return texts[:: max(1, math.ceil(len(texts) / MOST_ANSWERS))]


def _read(texts: Sequence[str]) -> list[list[str]]:
    return [_WORD.findall(text.casefold())[:MOST_WORDS] for text in texts]


def _counts(a: Sequence[list[str]], b: Sequence[list[str]]) -> dict[Words, tuple[int, int]]:
    """Phrase -> answers of each side that hold it, for those with enough support.

    A phrase can only have support if its parts have, so that few are ever counted.
    """
    counts: dict[Words, tuple[int, int]] = {(): (0, 0)}
    for length in range(1, LONGEST + 1):
        ours, theirs = (_holding(side, length, counts) for side in (a, b))
        for words in ours.keys() | theirs.keys():
            if max(ours[words], theirs[words]) >= SUPPORT:
                counts[words] = (ours[words], theirs[words])
    del counts[()]
    return counts


def _holding(
    answers: Sequence[list[str]], length: int, known: dict[Words, tuple[int, int]]
) -> Counter[Words]:
    counts: Counter[Words] = Counter()
    for words in answers:
        runs = set(zip(*(words[start:] for start in range(length)), strict=False))
        counts.update(run for run in runs if run[1:] in known and run[:-1] in known)
    return counts


def _phrase(words: Words, a: int, b: int, of_a: int, of_b: int) -> Phrase:
    odds = math.log((b + 0.5) / (of_b - b + 0.5)) - math.log((a + 0.5) / (of_a - a + 0.5))
    error = math.sqrt(sum(1 / (n + 0.5) for n in (a, of_a - a, b, of_b - b)))
    return Phrase(" ".join(words), a, b, odds, odds / error)


def _telling(clear: Sequence[Phrase], most: int) -> list[Phrase]:
    """The first ones, without those that stand within another phrase in the same answers."""
    chosen: list[Phrase] = []
    for phrase in clear:
        inside = f" {phrase.phrase} "
        if not any(
            (c.a, c.b) == (phrase.a, phrase.b) and inside in f" {c.phrase} " for c in chosen
        ):
            chosen.append(phrase)
        if len(chosen) == most:
            break
    return chosen
