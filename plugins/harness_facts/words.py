"""Texts as words that can be compared: one letter case, numbers by their value.

``Six euros``, ``6.00 EUR`` and ``€6`` all become ``6``, ``euro``, if the file of facts says that
``EUR`` and ``€`` are ``euro``. The end of a sentence is kept as a word of its own, ``.``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from harness.kit.folding import folded
from harness_facts.numerals import with_values

END = "."
"""The word that stands for the end of a sentence."""
CURRENCIES = frozenset({"€", "$", "£", "¥", "eur", "usd", "gbp", "chf", "jpy"})
"""Units that may stand before their number; they are moved behind it."""

# Scripts that put no space between words: each character is a word of its own.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
# No part of this can match one character in two ways, so it takes linear time.
_WORD = re.compile(
    r"\d+(?:[.,]\d+)*"
    rf"|[{_UNSPACED}]"
    rf"|(?:(?![{_UNSPACED}])[^\W\d_])+(?:['’](?![{_UNSPACED}])[^\W\d_]+)*"
    r"|[€$£¥%]"
    r"|[.!?…。！？]+(?=\s|$)|[。！？]"
)
_CONTRACTED = {"cannot": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not")}


def words(text: str, same: Mapping[str, str]) -> list[str]:
    """The words of a text.

    Args:
        same: word -> the word that stands for it, as ``{"euros": "euro"}``.
    """
    raw = [word for run in _WORD.findall(folded(text)) for word in _split(run)]
    return [same.get(word, word) for word in _units_behind(with_values(raw))]


def _split(word: str) -> Iterator[str]:
    if word[0] in ".!?…。！？":
        yield END
        return
    word = word.replace("’", "'")
    if word in _CONTRACTED:
        yield from _CONTRACTED[word]
    elif word.endswith("n't"):
        yield from (word[:-3], "not")
    else:
        yield from word.split("'")


def _units_behind(numbered: Sequence[str]) -> list[str]:
    """``€ 6`` as ``6 €``."""
    moved = list(numbered)
    for at in range(len(moved) - 1):
        if moved[at] in CURRENCIES and moved[at + 1][0].isdigit():
            before = moved[at - 1] if at else ""
            if not before[:1].isdigit():  # in "6 € 7 ..." the unit belongs to the 6
                moved[at], moved[at + 1] = moved[at + 1], moved[at]
    return moved
