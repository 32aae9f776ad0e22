"""Texts as arrays of token numbers: what is compared often is read and stemmed only once.

Equal tokens, after stemming, have equal numbers. Numbers are compared exactly, whereas
``rapidfuzz`` compares strings in a list by their hashes.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness_rouge import tokens

# A vocabulary that outgrows these is replaced by an empty one; so memory is bounded.
MOST_WORDS = 1 << 18
MOST_WORD_CHARACTERS = 1 << 22
MOST_TEXT_CHARACTERS = 1 << 25


@dataclass(frozen=True, slots=True)
class Text:
    """The token numbers of a text.

    Attributes:
        tokens: of the whole text, typecode ``I``.
        lines: of its lines, where at least two have tokens; otherwise empty.
    """

    tokens: array[int]
    lines: Sequence[array[int]] = ()


class Vocabulary(dict[str, int]):
    """Word -> number of its token, for one tokenizer with or without the stemmer.

    Several threads may use it: a number is given once, by ``setdefault``.
    """

    def __init__(self, tokenizer: str, stemmer: bool) -> None:
        self._split = tokens.SPLITTERS[tokenizer]
        self._stem: Callable[[str], str] = tokens.stem if stemmer else str
        self._numbers: dict[str, int] = {}
        self._next = itertools.count().__next__
        self._texts: dict[str, Text] = {}
        self._word_characters = 0
        self._text_characters = 0

    def __missing__(self, word: str) -> int:
        self._word_characters += len(word)
        return self.setdefault(word, self._numbers.setdefault(self._stem(word), self._next()))

    @property
    def full(self) -> bool:
        return len(self) > MOST_WORDS or self._word_characters > MOST_WORD_CHARACTERS

    def text(self, text: str) -> Text:
        """The tokens of a text that is seen once, such as an answer."""
        if "\n" not in text:
            return Text(self._encode(text))
        # No tokenizer joins letters across a line feed.
        lines = [line for line in map(self._encode, text.split("\n")) if line]
        whole = array("I", b"".join(lines))
        return Text(whole, lines if len(lines) > 1 else ())

    def reference(self, text: str) -> Text:
        """The same, remembered: other answers will be compared with it."""
        remembered = self._texts.get(text)
        if remembered is None:
            if self._text_characters > MOST_TEXT_CHARACTERS:
                self._texts.clear()
                self._text_characters = 0
            self._text_characters += len(text)
            remembered = self._texts[text] = self.text(text)
        return remembered

    def _encode(self, text: str) -> array[int]:
        return array("I", map(self.__getitem__, self._split(text)))


_vocabularies: dict[tuple[str, bool], Vocabulary] = {}


def vocabulary(tokenizer: str, stemmer: bool) -> Vocabulary:
    """The process's vocabulary for these options; numbers of two of them do not compare."""
    vocabulary_ = _vocabularies.get((tokenizer, stemmer))
    if vocabulary_ is None or vocabulary_.full:
        vocabulary_ = _vocabularies[tokenizer, stemmer] = Vocabulary(tokenizer, stemmer)
    return vocabulary_
