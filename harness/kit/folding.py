"""Texts folded: equal whatever their letter case, width, white space and punctuation."""

from __future__ import annotations

import re
import unicodedata

_MARK = "[.,;:!?'\"“”‘’…¿¡]"
# All but a single mark between digits. To begin with the mark is quicker than to look back first.
_SENTENCE_MARKS = re.compile(rf"{_MARK}(?:(?<!\d{_MARK})|(?!\d)){_MARK}*")
_SEPARATORS = re.compile(r"[\W_]+")
_ASCII_SEPARATORS = {code: " " for code in range(128) if not chr(code).isalnum()}


def folded(text: str) -> str:
    """The text in one Unicode form (NFKC), one letter case and single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    form = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", form).split())


def normalise(text: str) -> str:
    """Case, punctuation, width and white space taken away.

    A text without any letter or digit keeps its characters.
    """
    return without_marks(folded(text))


def without_marks(whole: str) -> str:
    """A folded text without punctuation and symbols; one of these alone keeps them."""
    if whole.isascii():  # the same, quicker
        words = whole.translate(_ASCII_SEPARATORS).split()
    else:
        words = _SEPARATORS.sub(" ", whole).split()
    return " ".join(words) or whole


def without_sentence_marks(whole: str) -> str:
    """A folded text without marks of punctuation, but for those between digits.

    Operators, brackets and other symbols stay. A text of marks alone keeps them.
    """
    return " ".join(_SENTENCE_MARKS.sub(" ", whole).split()) or whole
