"""Synonyms out of WordNet 3.0, as NLTK's reader finds them, from a small file beside the code."""

from __future__ import annotations

import functools
import hashlib
import lzma
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness import EnvironmentFailure

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

_RULES_BY_LETTER: dict[str, list[tuple[str, str, str]]] = {}
for _number, _part in enumerate(PARTS):
    for _old, _new in RULES[_part]:
        _RULES_BY_LETTER.setdefault(_old[-1], []).append((str(_number), _old, _new))


def is_plain(word: str) -> bool:
    """Whether a word of a synset can equal a token: METEOR lowers tokens and skips ``_``."""
    return "_" not in word and word == word.lower()


class WordNet:
    """What METEOR asks WordNet: which words mean the same.

    Lemmas point to texts, not lists: most are never asked for, and need no object of their own.

    Attributes:
        lemmas: lemma -> lines of a part of speech's number and a synset's words.
        exceptions: irregular form -> lines of a part of speech's number and the base forms.
    """

    def __init__(self, text: str) -> None:
        self.lemmas: dict[str, str] = {}
        self.exceptions: dict[str, str] = {}
        blocks = iter(text.split("\n\n"))
        for part, synsets, exceptions in zip("0123", blocks, blocks, strict=True):
            self._add_synsets(part, synsets)
            for line in exceptions.split("\n"):
                form, _, bases = line.partition(" ")
                _append(self.exceptions, form, f"{part} {bases}")

    def _add_synsets(self, part: str, synsets: str) -> None:
        lemmas = self.lemmas
        for words, lowered in zip(synsets.split("\n"), synsets.lower().split("\n"), strict=True):
            line = f"{part} {words}"
            for lemma in lowered.split(" "):
                if lemma in lemmas:
                    lemmas[lemma] += "\n" + line
                else:
                    lemmas[lemma] = line

    def synonyms(self, word: str) -> frozenset[str]:
        """The word and all plain words that share a synset with it or one of its base forms."""
        lowered = word.lower()
        words = {word}
        for line in self.lemmas.get(lowered, "").split("\n"):
            words.update(line.split(" ")[1:])
        for part, base in self._bases(lowered):
            for line in self.lemmas.get(base, "").split("\n"):
                if line.startswith(part):
                    words.update(line.split(" ")[1:])
        return frozenset(other for other in words if other is word or is_plain(other))

    def _bases(self, word: str) -> Iterator[tuple[str, str]]:
        """Base forms that the word may come from, in WordNet or not, each with its part."""
        irregular = set()
        for line in self.exceptions.get(word, "").split("\n"):
            part, *bases = line.split(" ")
            irregular.add(part)
            for base in bases:
                yield part, base
        for part, old, new in _RULES_BY_LETTER.get(word[-1:], ()):
            if word.endswith(old) and part not in irregular:
                yield part, word[: -len(old)] + new


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


def _append(lines: dict[str, str], key: str, line: str) -> None:
    lines[key] = f"{lines[key]}\n{line}" if key in lines else line


def _failure(path: Path, problem: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"METEOR's WordNet data {problem}", where=str(path), hint="install iteration-harness again"
    )
