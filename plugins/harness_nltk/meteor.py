"""METEOR as ``nltk.translate.meteor_score`` computes it, to the last bit, with memory.

Each word's stem and synonyms are looked up once per process; the three matching stages pass
nothing on but positions and words. Source of the formula: Lavie and Agarwal (2007), "Meteor: An
Automatic Metric for MT Evaluation with High Levels of Correlation with Human Judgments".
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence

from nltk.stem.porter import PorterStemmer

from harness_nltk.wordnet import load

# Positions (ascending) and words that are not matched yet.
Words = list[tuple[int, str]]
Matches = list[tuple[int, int]]

_CACHED_WORDS = 1 << 16
_stemmer = PorterStemmer()


@functools.lru_cache(_CACHED_WORDS)
def stem(word: str) -> str:
    """The word's stem, by NLTK's variant of Porter's algorithm."""
    return _stemmer.stem(word)


@functools.lru_cache(_CACHED_WORDS)
def synonyms(word: str) -> frozenset[str]:
    """The word and what WordNet 3.0 puts into a synset with it."""
    return load().synonyms(word)


def _same(word: str, words: Iterable[str]) -> Iterable[str]:
    return (word,)


def _synonymous(word: str, words: Iterable[str]) -> Iterable[str]:
    return synonyms(word).intersection(words)


def _match(
    hypothesis: Words,
    reference: Words,
    matches: Matches,
    partners: Callable[[str, Iterable[str]], Iterable[str]],
) -> tuple[Words, Words]:
    """Match from the right, each word with the last free partner; return what is left over."""
    places: dict[str, list[int]] = {}
    for position, word in reference:
        places.setdefault(word, []).append(position)
    left, taken = [], set()
    for here, word in reversed(hypothesis):
        free = [places[other] for other in partners(word, places) if places.get(other)]
        if not free:
            left.append((here, word))
            continue
        there = max(free, key=_last).pop()
        taken.add(there)
        matches.append((here, there))
    left.reverse()
    return left, [pair for pair in reference if pair[0] not in taken]


def _last(positions: Sequence[int]) -> int:
    return positions[-1]


def _stemmed(words: Words) -> Words:
    return [(position, stem(word)) for position, word in words]


def align(hypothesis: Sequence[str], reference: Sequence[str]) -> Matches:
    """Pairs of positions, by equal words, then equal stems, then synonyms *of the stems*.

    That synonyms are sought for stems is how NLTK does it, so it is how it is done here.
    """
    matches: Matches = []
    left, right = _match(list(enumerate(hypothesis)), list(enumerate(reference)), matches, _same)
    if left and right:
        left, right = _match(_stemmed(left), _stemmed(right), matches, _same)
    if left and right:
        _match(left, right, matches, _synonymous)
    return sorted(matches)


def chunks(matches: Matches) -> int:
    """Number of runs of matches that are adjacent on both sides; 1 where there is none."""
    return 1 + sum((a + 1, b + 1) != after for (a, b), after in itertools.pairwise(matches))


def score(
    hypothesis: Sequence[str],
    reference: Sequence[str],
    *,
    alpha: float,
    beta: float,
    gamma: float,
) -> float:
    """METEOR of two lists of lower-case tokens.

    With m matches in c chunks, P = m / hypothesis tokens and R = m / reference tokens:
    (1 - gamma (c/m)^beta) P R / (alpha P + (1 - alpha) R); 0 where nothing matches.
    """
    matches = align(hypothesis, reference)
    if not matches:
        return 0.0
    precision = len(matches) / len(hypothesis)
    recall = len(matches) / len(reference)
    fmean = (precision * recall) / (alpha * precision + (1 - alpha) * recall)
    penalty = gamma * (chunks(matches) / len(matches)) ** beta
    return (1 - penalty) * fmean
