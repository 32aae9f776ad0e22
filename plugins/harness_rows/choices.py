"""Answers to choose from, as exams have them in one column: lettered in the prompt.

A list of texts (MMLU, HellaSwag), or an object with ``text`` and ``label`` (ARC). The answer beside
it may be the letter, the number of one of them, or its text.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from harness.kit.readers import Record
from harness_rows.roles import MISSING, value_of

NEARLY_ALL = 0.95
"""Share of the rows in which the answer has to be one of those in a column."""
MOST_LOOKED_AT = 200

LETTERS = string.ascii_uppercase
Choices = dict[str, str]
"""What a row calls an answer (``A``) -> its text."""


def choices_of(value: Any) -> Choices:
    """The answers that a value offers; empty where it offers none."""
    texts: Any = value
    signs: Any = LETTERS
    if isinstance(value, dict):
        texts, signs = value.get("text"), value.get("label")
    if not isinstance(texts, Sequence) or isinstance(texts, (str, bytes)):
        return {}
    plain = all(isinstance(text, (str, int, float)) and str(text).strip() for text in texts)
    if not plain or not 2 <= len(texts) <= len(signs if isinstance(signs, Sequence) else ()):
        return {}
    return {str(sign).upper(): str(text).strip() for sign, text in zip(signs, texts, strict=False)}


def lettered(choices: Choices) -> str:
    """A line for each, ``A) …``, whatever a row calls them."""
    lines = zip(LETTERS, choices.values(), strict=False)
    return "\n".join(f"{letter}) {text}" for letter, text in lines)


def picked(choices: Choices, answer: str, first: int | None) -> str:
    """The letter of an answer that is a sign or a number, its text where it is one of the texts;
    empty where it is none of them.

    Args:
        first: the number of the first one, 0 or 1; None where answers are no numbers.
    """
    text = answer.strip()
    if (sign := text.upper()) in choices:
        return LETTERS[list(choices).index(sign)]
    # Before the texts: of the choices 4, 2, 1, 0 the answer 0 is the first.
    if (at := _place(choices, text, first)) >= 0:
        return LETTERS[at]
    return text if text in choices.values() else ""


def _place(choices: Choices, text: str, first: int | None) -> int:
    """The place of the choice with this number; -1 where it is none."""
    number = text.isascii() and text.isdigit() and len(text) < 3
    at = int(text) - first if number and first is not None else -1
    return at if at < len(choices) else -1


def first_number(column: str, answers: str, head: Iterable[Record]) -> int | None:
    """Whether numbers of answers begin at 0, or at 1: where none is 0 and one is that of the last
    choice, counted from 1. None where more answers are texts of choices than numbers."""
    seen = [
        (choices_of(value_of(row, column)), str(value_of(row, answers)).strip()) for row in head
    ]
    ends = any(choices and text == str(len(choices)) for choices, text in seen)
    first = int(ends and all(text != "0" for _, text in seen))
    numbers = sum(_place(choices, text, first) >= 0 for choices, text in seen)
    return first if numbers > sum(text in choices.values() for choices, text in seen) else None


def column_of_choices(columns: Sequence[str], answers: str, rows: Iterable[Record]) -> str:
    """The column that offers each row's answer beside others; empty where there is none."""
    head = list(islice(rows, MOST_LOOKED_AT))
    for column in columns:
        first = first_number(column, answers, head)
        answered = 0
        for row in head:
            answer = value_of(row, answers)
            if answer is not MISSING and isinstance(answer, (str, int)):
                answered += bool(picked(choices_of(value_of(row, column)), str(answer), first))
        if head and answered >= NEARLY_ALL * len(head):
            return column
    return ""
