"""Synonyms out of WordNet 3.0, as NLTK's reader finds them, from a small file beside the code."""

from __future__ import annotations

import functools
import hashlib
import lzma
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import EnvironmentFailure

DATA = Path(__file__).with_name("data") / "wordnet30.xz"
DIGEST = "784ce6a54f491b7a8a1a86e49b2eebcc30f710df8b95d417faaa5eff507cab06"

PARTS = ("noun", "verb", "adj", "adv")
# Morphy's rules of detachment: WordNet's manual page morphy(7), with NLTK's additions.
RULES: Mapping[str, Sequence[tuple[str, str]]] = {
    "noun": (
        ("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z"), ("ches", "ch"),
        ("shes", "sh"), ("men", "man"), ("ies", "y"),
    ),
    "verb": (
        ("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"),
        ("ing", ""),
    ),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}  # fmt: skip


def is_plain(word: str) -> bool:
    """Whether a word of a synset can equal a token: METEOR lowers tokens and skips ``_``."""
    return "_" not in word and word == word.lower()


class Part:
    """One part of speech: lemma -> the plain words of each of its synsets; exceptions."""

    def __init__(self, name: str, synsets: str, exceptions: str) -> None:
        self.rules = RULES[name]
        self.lemmas: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for line in synsets.split("\n"):
            words = line.split(" ")
            plain = tuple(filter(is_plain, words))
            for word in words:
                self.lemmas[word.lower()].append(plain)
        rows = (line.split(" ") for line in exceptions.split("\n"))
        self.exceptions = {form: bases for form, *bases in rows}

    def bases(self, word: str) -> Sequence[str]:
        """Base forms that the word may come from, in WordNet or not."""
        if word in self.exceptions:
            return self.exceptions[word]
        return [word[: -len(old)] + new for old, new in self.rules if word.endswith(old)]

    def synonyms(self, word: str) -> set[str]:
        """Plain words that share a synset with the word or one of its base forms."""
        forms = {word, *self.bases(word)}
        return {other for form in forms for synset in self.lemmas.get(form, ()) for other in synset}


class WordNet:
    """What METEOR asks WordNet: which words mean the same."""

    def __init__(self, text: str) -> None:
        blocks = text.split("\n\n")
        pairs = zip(blocks[::2], blocks[1::2], strict=True)
        self.parts = [
            Part(name, synsets, exceptions)
            for name, (synsets, exceptions) in zip(PARTS, pairs, strict=True)
        ]

    def synonyms(self, word: str) -> frozenset[str]:
        """The word and all its synonyms."""
        lowered = word.lower()
        return frozenset({word}.union(*(part.synonyms(lowered) for part in self.parts)))


def read_packed(path: Path) -> bytes:
    """The data file's bytes, if they are the ones that this version was made with.

    Raises:
        EnvironmentFailure: the file is missing or was changed.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise _failure(path, f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(packed).hexdigest() != DIGEST:
        raise _failure(path, "is damaged: its checksum is not the one it was shipped with")
    return packed


@functools.cache
def load(path: Path = DATA) -> WordNet:
    """The shipped WordNet, read once per process.

    Raises:
        EnvironmentFailure: the file is missing or was changed.
    """
    return WordNet(lzma.decompress(read_packed(path)).decode())


def _failure(path: Path, problem: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"METEOR's WordNet data {problem}", where=str(path), hint="install harness again"
    )
