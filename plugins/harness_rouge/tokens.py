"""Texts into tokens: as ``rouge_score`` does it, or for all scripts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping

_ASCII_WORDS = re.compile(r"[a-z0-9]+")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han.
_SPACELESS = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_JOINERS = "\u200c\u200d"
_LAST_MARK = 0x1F000  # the variation selectors above it never part two words


def original(text: str) -> list[str]:
    """Runs of ASCII letters and digits, in lower case, as ``rouge_score`` finds them."""
    return _ASCII_WORDS.findall(text.lower())


def unicode_words(text: str) -> list[str]:
    """Runs of letters, digits and their marks, in lower case and composed (NFC).

    In scripts that are written without spaces each letter, with its marks, is a token.
    """
    return _unicode_pattern().findall(unicodedata.normalize("NFC", text.lower()))


@functools.cache
def _unicode_pattern() -> re.Pattern[str]:
    characters = map(chr, range(0x300, _LAST_MARK))
    marks = "".join(c for c in characters if unicodedata.category(c).startswith("M")) + _JOINERS
    return re.compile(rf"(?=[^\W_])[{_SPACELESS}][{marks}]*|(?:[^\W_{_SPACELESS}]|[{marks}])+")


@functools.cache
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer().stem  # type: ignore[no-any-return]


@functools.lru_cache(1 << 16)
def _stem(word: str) -> str:
    return _stemmer()(word)


def _stemmed(split: Callable[[str], list[str]], text: str) -> list[str]:
    """Tokens with those of more than three ASCII characters replaced by their stems."""
    words = split(text)
    return [_stem(word) if len(word) > 3 and word.isascii() else word for word in words]


SPLITTERS: Mapping[tuple[str, bool], Callable[[str], list[str]]] = {
    ("original", False): original,
    ("original", True): functools.partial(_stemmed, original),
    ("unicode", False): unicode_words,
    ("unicode", True): functools.partial(_stemmed, unicode_words),
}
"""(tokenizer, stemmer) -> text to tokens."""
