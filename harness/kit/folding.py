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
