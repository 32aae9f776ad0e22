"""METEOR as ``nltk.translate.meteor_score`` computes it, to the last bit, with memory.

A reference is read once: its words, its stems, and where each stands. What a word's stem is and
what a stem may mean is looked up once per process. Source of the formula: Lavie and Agarwal
(2007), "Meteor: An Automatic Metric for MT Evaluation with High Levels of Correlation with
Human Judgments".
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.kit import stemmer as porter
from harness_nltk.wordnet import load

Positions = list[int | None]
Senses = Callable[[str], tuple[str, frozenset[str]]]
"""A word -> its stem, and the *other* words that mean the same as that stem."""

_CACHED_WORDS = 1 << 16
_FEW = 1 << 9
_NOTHING: frozenset[str] = frozenset()

Stem = Callable[[str], str]

stem: Stem = functools.lru_cache(_CACHED_WORDS)(porter.stem)


@functools.cache
def stemmer(language: str) -> Stem:
    """Porter's stemmer as NLTK has it for English, NLTK's Snowball for other languages."""
    if language == "english":
        return stem
    from nltk.stem.snowball import SnowballStemmer

    return functools.lru_cache(_CACHED_WORDS)(SnowballStemmer(language).stem)


@functools.lru_cache(_CACHED_WORDS)
def senses(word: str) -> tuple[str, frozenset[str]]:
    """The word's stem, and the words that WordNet 3.0 puts into a synset with the *stem*.

    That synonyms are sought for stems is how NLTK does it, so it is how it is done here.
    """
    root = stem(word)
    return root, load().synonyms(root) - {root} or _NOTHING


@functools.cache
def stem_only(language: str) -> Senses:
    """What METEOR without WordNet takes for :func:`senses`."""
    root = stemmer(language)
    return lambda word: (root(word), _NOTHING)


def repeated(words: Sequence[str]) -> list[int]:
    """Positions, from the right, of the words that an equal one follows."""
    last = dict(zip(words, range(len(words)), strict=True))
    if len(last) == len(words):
        return []
    ends = map(last.__getitem__, words)
    return [place for place, end in enumerate(ends) if place != end][::-1]


class Answer(NamedTuple):
    """An answer of lower-case tokens, and which of them an equal one follows."""

    words: Sequence[str]
    repeated: Sequence[int]


class Reference(NamedTuple):
    """What is the same for every answer to one reference.

    Attributes:
        last: word -> its last position.
        earlier: last position of a repeated word -> its other positions, from the right.
        stems: of all words, in order.
    """

    last: dict[str, int]
    earlier: dict[int, list[int]]
    stems: tuple[str, ...]


def read_answer(words: Sequence[str]) -> Answer:
    """An answer of lower-case tokens."""
    return Answer(words, repeated(words))


def read_reference(words: Iterable[str], root: Stem = stem) -> Reference:
    """A reference of lower-case tokens."""
    interned = list(map(sys.intern, words))  # thousands of references share their words
    last = dict(zip(interned, range(len(interned)), strict=True))
    earlier: dict[int, list[int]] = {}
    for place in repeated(interned):
        earlier.setdefault(last[interned[place]], []).append(place)
    return Reference(last, earlier, tuple(map(root, interned)))


class References:
    """References that were read, by text; the oldest are forgotten when they get too many.

    Args:
        tokenize: text -> tokens in lower case.
        limit: most tokens held, at some 40 bytes each; a long text counts as more than its
            tokens, since it is held too.
        root: word -> stem.
    """

    def __init__(
        self,
        tokenize: Callable[[str], list[str]],
        limit: int = 4_000_000,
        root: Stem = stem,
    ) -> None:
        self._tokenize = tokenize
        self._root = root
        self._limit = limit
        self._held = 0
        self._known: dict[str, tuple[Reference, int]] = {}

    def __call__(self, text: str) -> Reference:
        known = self._known.get(text)
        if known is not None:
            return known[0]
        reference = read_reference(self._tokenize(text), self._root)
        size = len(reference.stems) + len(text) // 32 + 8
        if size <= self._limit:
            self._known[text] = reference, size
            self._held += size
        while self._held > self._limit:
            self._held -= self._known.pop(next(iter(self._known)))[1]
        return reference


def align(answer: Answer, reference: Reference, senses: Senses) -> Positions:
    """Each word's partner in the reference: equal words, then equal stems, then synonyms.

    Always from the right, and to the last partner that is free.
    """
    partners = _equal(answer, reference)
    unaligned = [place for place, partner in enumerate(partners) if partner is None]
    if unaligned and len(partners) - len(unaligned) < len(reference.stems):
        _pair_meanings(answer.words, unaligned, partners, Free(reference, partners), senses)
    return partners


def _equal(answer: Answer, reference: Reference) -> Positions:
    """The last of equal words with the last, the one before it with the one before."""
    partners: Positions = list(map(reference.last.get, answer.words))
    following: dict[int, int] = {}
    for place in answer.repeated:
        end = partners[place]
        if end is not None:
            count = following.get(end, 0)
            following[end] = count + 1
            earlier = reference.earlier.get(end, ())
            partners[place] = earlier[count] if count < len(earlier) else None
    return partners


def _pair_meanings(
    words: Sequence[str], unaligned: Sequence[int], partners: Positions, free: Free, senses: Senses
) -> None:
    """Partners for the words at these places: all by stem, then all by synonym."""
    last = free.last
    without_stem: list[tuple[int, frozenset[str]]] = []
    for place in reversed(unaligned):
        root, synonyms = senses(words[place])
        if root in last:
            partners[place] = free.take(root)
        elif synonyms:
            without_stem.append((place, synonyms))
    roots = set(last)
    for place, synonyms in without_stem:
        if not roots.isdisjoint(synonyms):
            # NLTK takes the rightmost of the words that are synonyms.
            chosen = max(synonyms & roots, key=last.__getitem__)
            partners[place] = free.take(chosen)
            if chosen not in last:
                roots.remove(chosen)


class Free:
    """The stems of a reference that have no partner yet.

    Attributes:
        last: stem -> the last position where it is free.
    """

    def __init__(self, reference: Reference, partners: Positions) -> None:
        stems = reference.stems
        places = sorted(_places(len(stems)).difference(partners))
        roots = [stems[place] for place in places]
        self.last = dict(zip(roots, places, strict=True))
        self._earlier: dict[str, list[int]] = {}
        if len(self.last) < len(places):
            for place, root in zip(places, roots, strict=True):
                if self.last[root] != place:
                    self._earlier.setdefault(root, []).append(place)

    def take(self, root: str) -> int:
        """The last free position of a stem, which is free no more."""
        place = self.last.pop(root)
        earlier = self._earlier.get(root)
        if earlier:
            self.last[root] = earlier.pop()
        return place


def _places(count: int) -> frozenset[int]:
    return _few_places(count) if count <= _FEW else frozenset(range(count))


@functools.lru_cache(_FEW)
def _few_places(count: int) -> frozenset[int]:
    return frozenset(range(count))


def matches_and_chunks(partners: Iterable[int | None]) -> tuple[int, int]:
    """How many words have a partner, and in how many runs that are adjacent on both sides."""
    matches = chunks = 0
    expected: int | None = None
    for partner in partners:
        if partner is None:
            expected = None
            continue
        matches += 1
        if partner != expected:
            chunks += 1
        expected = partner + 1
    return matches, chunks


@dataclass(frozen=True, slots=True)
class Formula:
    """METEOR's weights, and where synonyms come from.

    With m matches in c chunks, P = m / answer tokens and R = m / reference tokens:
    (1 - gamma (c/m)^beta) P R / (alpha P + (1 - alpha) R); 0 where nothing matches.
    """

    alpha: float
    beta: float
    gamma: float
    senses: Senses = senses

    def best(self, words: Sequence[str], references: Iterable[Reference]) -> float | None:
        """The best score of lower-case tokens over the references; None without references."""
        answer = read_answer(words)
        return max([self._score(answer, reference) for reference in references], default=None)

    def _score(self, answer: Answer, reference: Reference) -> float:
        matches, chunks = matches_and_chunks(align(answer, reference, self.senses))
        if not matches:
            return 0.0
        precision = matches / len(answer.words)
        recall = matches / len(reference.stems)
        fmean = (precision * recall) / (self.alpha * precision + (1 - self.alpha) * recall)
        penalty: float = self.gamma * (chunks / matches) ** self.beta
        return (1 - penalty) * fmean
