"""Numbers in words of a text by their value: ``twenty-four``, ``24`` and ``24.0`` are one.

Digits are read by English conventions: ``1,050`` is a thousand and fifty, ``0.10`` a tenth; a
comma before another number of digits than three is a decimal one (``39,90``). What is no plain
number (``10.4.1``) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DECIMAL = re.compile(r"[0-9]+(?:[.,][0-9]+)?")

_VALUES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
    "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13,
    "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18,
    "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_LARGE = {"thousand": 1000, "million": 1_000_000}
_SUFFIXES = frozenset({"st", "nd", "rd", "th"})


def with_values(words: Sequence[str]) -> list[str]:
    """The same words with one spelling for each number (``6``) and each ordinal (``6th``)."""
    values: list[str] = []
    at = 0
    while at < len(words):
        value, at_next = _number(words, at)
        if value is None:
            values.append(words[at])
        elif at_next < len(words) and words[at_next] in _SUFFIXES and words[at][0].isdigit():
            values.append(f"{value}th")
            at_next += 1
        else:
            values.append(value)
        at = at_next
    return values


def _number(words: Sequence[str], at: int) -> tuple[str | None, int]:
    """The number that begins at a word, and where it ends."""
    word = words[at]
    if word[0].isdigit():
        return _digits(words, at)
    if word in _ORDINALS:
        return f"{_ORDINALS[word]}th", at + 1
    if word in _VALUES:
        return _spelled(words, at)
    return None, at + 1


def _digits(words: Sequence[str], at: int) -> tuple[str, int]:
    value = _plain(words[at])
    following = words[at + 1] if at + 1 < len(words) else ""
    if following in _LARGE and value.isdecimal() and len(value) < 7:
        return str(int(value) * _LARGE[following]), at + 2
    return value, at + 1


def _plain(digits: str) -> str:
    """Digits without separators of thousands and without zeros that say nothing."""
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif not _DECIMAL.fullmatch(digits):
        return digits
    whole, _, rest = digits.replace(",", ".").partition(".")
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def _spelled(words: Sequence[str], at: int) -> tuple[str, int]:
    """A cardinal in words; ``three four`` are two, ``twenty-first`` is an ordinal."""
    total, value, at = 0, *_below_hundred(words, at)
    if at < len(words) and value >= 20 and value % 10 == 0 and _ORDINALS.get(words[at], 10) < 10:
        return f"{value + _ORDINALS[words[at]]}th", at + 1
    if at < len(words) and words[at] == "hundred" and 0 < value < 100:
        value, at = _with_rest(words, at + 1, value * 100)
    if at < len(words) and words[at] in _LARGE:
        total, at = _with_rest(words, at + 1, value * _LARGE[words[at]])
        value = 0
    return str(total + value), at


def _with_rest(words: Sequence[str], at: int, value: int) -> tuple[int, int]:
    """``hundred`` or ``thousand`` and what belongs to it: ``and twenty``, ``four hundred``."""
    start = at + 1 if words[at : at + 1] == ["and"] else at
    if start >= len(words) or words[start] not in _VALUES:
        return value, at
    rest, end = _below_hundred(words, start)
    if value >= 1000 and end < len(words) and words[end] == "hundred" and 0 < rest < 10:
        rest, end = _with_rest(words, end + 1, rest * 100)
    return value + rest, end


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int]:
    value = _VALUES[words[at]]
    unit = _VALUES.get(words[at + 1], 0) if at + 1 < len(words) else 0
    if value >= 20 and 0 < unit < 10:
        return value + unit, at + 2
    return value, at + 1
