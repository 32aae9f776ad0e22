"""Texts into tokens: as ``rouge_score`` does it, or for all scripts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping

from harness.kit import stemmer

# ASCII letters in lower case, digits, and a blank for every other byte.
_ASCII_WORDS = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else ord(" ")
    for code in range(256)
)
_LOST = re.compile(r"[^\x00-\x7f]+")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han.
_SPACELESS = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_JOINERS = "\u200c\u200d"
_LAST_MARK = 0x1F000  # the variation selectors above it never part two words


def original(text: str) -> list[str]:
    """Runs of ASCII letters and digits, in lower case, as ``rouge_score`` finds them."""
    return _ascii_words(text).split()


def _ascii_words(text: str) -> str:
    # Beyond ASCII, lower() gives some ASCII letters: the Kelvin sign becomes a k.
    lower = text if text.isascii() else text.lower()
    return lower.encode("ascii", "replace").translate(_ASCII_WORDS).decode("ascii")


def mostly_dropped(text: str) -> bool:
    """True if :func:`original` drops more than half of the letters and digits of a text.

    They are the characters of Unicode's categories L (letters of all scripts) and Nd (decimal
    digits), counted after ``lower()``; marks and signs do not count.
    """
    if text.isascii():
        return False
    lower = text.lower()
    characters = Counter("".join(_LOST.findall(lower)))
    lost = sum(number for character, number in characters.items() if _is_word(character))
    return lost > len(_ascii_words(lower).replace(" ", ""))


def _is_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("L") or category == "Nd"


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


def stem(word: str) -> str:
    """Porter's stem of a word of more than three ASCII characters, any other as it is."""
    return stemmer.stem(word) if len(word) > 3 and word.isascii() else word


SPLITTERS: Mapping[str, Callable[[str], list[str]]] = {
    "original": original,
    "unicode": unicode_words,
}
"""Tokenizer -> text to words, not yet stemmed."""
