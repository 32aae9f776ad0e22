"""Whether a short answer is right, by a rule that a person can check at a glance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

RULES = ("any_of", "number", "pattern")
"""One of several texts, as whole words; a number, the first in the answer or behind the last ``=``;
the form of the whole answer."""
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_NAMES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip
_WORDS = {word: number for number, word in enumerate(_NAMES)}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")


def right(rule: Mapping[str, Any], answer: str) -> bool:
    """Whether the answer obeys the rule, which is one of :data:`RULES`."""
    if "any_of" in rule:
        words = (re.escape(text.casefold()) for text in rule["any_of"])
        return re.search(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", answer.casefold()) is not None
    if "number" in rule:
        return _number(answer) == float(rule["number"])
    return re.fullmatch(rule["pattern"], answer.strip()) is not None


def _number(answer: str) -> float | None:
    """The first number, in digits, or in words where there are none.

    Of ``20 - 8 = 12`` it is the result.
    """
    answer = answer.rpartition("=")[2]
    if digits := _NUMBER.search(answer):
        return float(digits[0].replace(",", ""))
    if named := _WORD.search(answer.casefold()):
        return float(_WORDS[named[0]])
    return None
