"""METEOR as ``nltk.translate.meteor_score`` computes it, to the last bit, with memory.

Each word's stem and synonyms are looked up once per process; the three matching stages pass
nothing on but positions and words. Source of the formula: Lavie and Agarwal (2007), "Meteor: An
Automatic Metric for MT Evaluation with High Levels of Correlation with Human Judgments".
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Sequence

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


def _places(words: Words) -> dict[str, list[int]]:
    """Word -> its positions, ascending."""
    places = defaultdict(list)
    for position, word in words:
        places[word].append(position)
    return places


def _match_equal(hypothesis: Words, reference: Words, matches: Matches) -> tuple[Words, Words]:
    """From the right, each word with its last free twin; returns what is left over."""
    places = _places(reference)
    left = []
    for pair in reversed(hypothesis):
        free = places.get(pair[1])
        if free:
            matches.append((pair[0], free.pop()))
        else:
            left.append(pair)
    left.reverse()
    return left, sorted((here, word) for word, free in places.items() for here in free)


def _match_synonyms(hypothesis: Words, reference: Words, matches: Matches) -> None:
    """From the right, each word with the last free word that has the same meaning."""
    places = _places(reference)
    for here, word in reversed(hypothesis):
        shared = synonyms(word).intersection(places)
        if not shared:
            continue
        chosen = max(shared, key=lambda other: places[other][-1])
        matches.append((here, places[chosen].pop()))
        if not places[chosen]:
            del places[chosen]


def _stemmed(words: Words) -> Words:
    return [(position, stem(word)) for position, word in words]


def align(hypothesis: Sequence[str], reference: Sequence[str]) -> Matches:
    """Pairs of positions, by equal words, then equal stems, then synonyms *of the stems*.

    That synonyms are sought for stems is how NLTK does it, so it is how it is done here.
    """
    matches: Matches = []
    words = list(enumerate(hypothesis)), list(enumerate(reference))
    left, right = _match_equal(*words, matches)
    if left and right:
        left, right = _match_equal(_stemmed(left), _stemmed(right), matches)
    if left and right:
        _match_synonyms(left, right, matches)
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
