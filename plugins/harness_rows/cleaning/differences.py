"""In what two texts differ that are near: numbers and operators, or whole sentences."""

from __future__ import annotations

import re
from itertools import permutations

from harness.alike.hashes import SHINGLE
from harness.kit.folding import loosely

LEAST_SENTENCE = 12
"""Characters from which a sentence can be another question."""
FOUND_AGAIN = 0.5
"""Share of a sentence's runs of five characters from which it is found again in another one."""
_FIGURES = re.compile(
    r"\.?\d+(?:[.,:]\d+)*|!(?=!*[\w(=])|[=<>+*/^%~¬$€£¥×÷±≤≥≠−]"
    r"|-(?:\s?-)+|(?<!\w)-(?=[\d.(]|[^\W\d_]\b|\w+\()|(?<=\d)\s?-\s?(?=\.?\d)"
)
"""A number, a negation, an operator, several minuses, a sign before a number, one letter, a bracket
or a call, a minus between numbers."""
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def figures(text: str) -> list[str]:
    """The numbers and operators of a text that is folded, in its order."""
    return ["".join(part.split()) for part in _FIGURES.findall(text)]


def same_figures(text: str, other: str) -> bool:
    """Whether two texts have the same numbers and operators in one order.

    Sentences with figures may not change places: which words a number belongs to would have to be
    understood to tell ``Tom has 5. Ann has 7.`` from ``Tom has 7 and Ann has 5.``
    """
    return figures(loosely(text)) == figures(loosely(other))


def ask_otherwise(prompt: str, other: str) -> bool:
    """Whether each of two prompts has a sentence (or line) of which the other has next to none."""
    return all(_has_of_its_own(*texts) for texts in permutations((prompt, other)))


def _has_of_its_own(prompt: str, other: str) -> bool:
    of_other = [_runs(sentence) for sentence in _sentences(other, LEAST_SENTENCE)]
    for sentence in _sentences(prompt, LEAST_SENTENCE):
        runs = _runs(sentence)
        if all(len(runs & others) < FOUND_AGAIN * len(runs) for others in of_other):
            return True
    return False


def _sentences(text: str, least: int = 1) -> list[str]:
    pieces = map(loosely, _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) >= least]


def jaccard(text: str, other: str) -> float:
    """Share of the runs of five characters in either text that are in both; 1 for equal texts."""
    if text == other:
        return 1.0
    first, second = _runs(text), _runs(other)
    return len(first & second) / len(first | second)


def _runs(text: str) -> set[str]:
    return {text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1))}
