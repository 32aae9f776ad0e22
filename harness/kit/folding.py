"""Texts folded: equal whatever their letter case, width, white space and punctuation."""

from __future__ import annotations

import re
import unicodedata

_MARKS = ".,;:!?'\"“”‘’…¿¡"
_MARK = f"[{_MARKS}]"
# Looked for behind a mark: it stands between digits, is a decimal point (.5), or negates (!ok, !=).
_NO_SENTENCE_MARK = (
    rf"(?<=\d{_MARK})(?=\d)|(?<=\.)(?<![\w{_MARKS}]\.)(?=\d)"
    rf"|(?<=!)(?:(?==)|(?<![\w{_MARKS.replace('!', '')}]!)(?=!*[\w(]))"
)
_SENTENCE_MARK = rf"{_MARK}(?!{_NO_SENTENCE_MARK})"
# To begin with the mark is quicker than to begin with a group.
_SENTENCE_MARKS = re.compile(rf"{_SENTENCE_MARK}(?:{_SENTENCE_MARK})*")
_FORMATS = re.compile(
    r"[\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
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
    """A folded text without marks of punctuation that belong to sentences.

    Those between digits, a decimal point before digits (``.5``) and a negation (``!ok``, ``!=``)
    stay, as do operators, brackets and other symbols. A text of marks alone keeps them.
    """
    return " ".join(_SENTENCE_MARKS.sub(" ", whole).split()) or whole


def without_formats(text: str) -> str:
    """The text without characters that only format (category Cf), a zero-width space for one."""
    return text if text.isascii() else _FORMATS.sub("", text)


def loosely(text: str) -> str:
    """A text as exact repeats are compared: without letter case, white space, the form of Unicode,
    characters that only format, and marks that end or part sentences.

    Digits, symbols and operators stay, so ``12 - 7`` repeats ``12 - 7`` alone.
    """
    return without_sentence_marks(folded(without_formats(text)))
