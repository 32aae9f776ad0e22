"""Texts as symbols: each token a number, most tokenizing done once per distinct word."""

from __future__ import annotations

import functools
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from harness_sacrebleu.ngrams import Symbols

Split = Callable[[str], Iterable[str]]

# What a table may hold before it starts anew: entries, and characters in all.
_ENTRIES = 2**18
_CHARACTERS = 2**24
_CACHED_TEXTS = 2**15
_CACHED_LENGTH = 2**13

_UTF_32 = f"utf-32-{'le' if sys.byteorder == 'little' else 'be'}"


class Encoder:
    """Turns texts into symbols; equal tokens get equal symbols.

    Args:
        split: the tokens of a text, or of one word where ``by_word``.
        by_word: whether a text's tokens are those of its words (separated by white space), one
            word after the other.
        unless: where one of these is in a text, ``whole`` finds its tokens.
        ends: whether the ends of a text matter: its first word is then split with a blank
            behind it only, its last with a blank before it, all others between blanks.
    """

    def __init__(
        self,
        split: Split,
        *,
        by_word: bool = True,
        unless: Sequence[str] = (),
        whole: Split | None = None,
        ends: bool = False,
    ) -> None:
        self._by_word = by_word
        self._unless = unless
        self._ends = ends
        self._numbers = _Numbers()
        between = (lambda word: split(_between_blanks(word))) if ends else split
        self._words = _Words(between, self._numbers)
        self._whole = whole or split
        self.cached = functools.lru_cache(_CACHED_TEXTS)(self._encoded)

    def __call__(self, text: str) -> Symbols:
        """The text's tokens as symbols."""
        return self._encoded(text)

    def of_reference(self, text: str) -> Symbols:
        """The same, remembered: references come again with each system and round."""
        return self.cached(text) if len(text) <= _CACHED_LENGTH else self._encoded(text)

    def trim(self) -> None:
        """Forget everything if it has become too much; symbols given before lose meaning."""
        if self._numbers.full or self._words.full:
            self._numbers.forget()
            self._words.forget()
            self.cached.cache_clear()

    def _encoded(self, text: str) -> Symbols:
        numbers: Iterable[int]
        if self._is_split_by_word(text):
            words = _with_ends(text) if self._ends else text.split()
            numbers = chain.from_iterable(map(self._words.__getitem__, words))
        else:
            numbers = map(self._numbers.__getitem__, self._whole(text))
        return array("i", numbers).tobytes()

    def _is_split_by_word(self, text: str) -> bool:
        if not self._by_word or any(map(text.__contains__, self._unless)):
            return False
        return not self._ends or len(text.split(None, 1)) == 2


def _with_ends(text: str) -> list[str]:
    """Two words or more; the first and the last one with a blank on their inner side."""
    words = text.split()
    if not text[0].isspace():
        words[0] += " "
    if not text[-1].isspace():
        words[-1] = f" {words[-1]}"
    return words


def _between_blanks(word: str) -> str:
    return word if " " in word else f" {word} "


def characters(text: str) -> Symbols:
    """The text's characters as symbols."""
    return text.encode(_UTF_32, "surrogatepass")


class _Numbers(dict[str, int]):
    """Token -> its number, given in order of appearance."""

    characters = 0

    def __missing__(self, token: str) -> int:
        self.characters += len(token)
        number = self[token] = len(self)
        return number

    @property
    def full(self) -> bool:
        return len(self) > _ENTRIES or self.characters > _CHARACTERS

    def forget(self) -> None:
        self.clear()
        self.characters = 0


class _Words(dict[str, tuple[int, ...]]):
    """Word -> the numbers of its tokens."""

    characters = 0

    def __init__(self, split: Split, numbers: _Numbers) -> None:
        super().__init__()
        self._split = split
        self._numbers = numbers

    def __missing__(self, word: str) -> tuple[int, ...]:
        self.characters += len(word)
        numbers = self[word] = tuple(map(self._numbers.__getitem__, self._split(word)))
        return numbers

    @property
    def full(self) -> bool:
        return len(self) > _ENTRIES or self.characters > _CHARACTERS

    def forget(self) -> None:
        self.clear()
        self.characters = 0
