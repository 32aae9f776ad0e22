"""Where an answer leaves its reference, word by word."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind = Literal["same", "missing", "extra", "rest"]
Runs: TypeAlias = "list[tuple[str, bool]]"
"""A text in pieces, each with whether the other text lacks it."""

MOST_WORDS = 4_000
"""Words of each text that are compared: time and room grow with their product."""
MOST_CHARACTERS = 20_000
MOST_TEXTS = 200
_CLEAR = 4
"""Letters from which one shared word between two differences is no chance."""

# Chinese characters and kana are words of their own, ASCII punctuation parts from its word (but
# for apostrophe and underscore); each with the white space behind it, so that lines stay lines.
_CHARACTERS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SIGNS = r"!-&(-/:-@\[-^`{-~"
_WORD = re.compile(rf"(?:[{_CHARACTERS}]|[{_SIGNS}]|[^\s{_SIGNS}{_CHARACTERS}]+)\s*|^\s+")


@dataclass(frozen=True, slots=True)
class Step:
    """A run of words that both texts share, or one in which they differ; one side may be empty."""

    same: bool
    reference: Sequence[str]
    answer: Sequence[str]


def steps(reference: Sequence[str], answer: Sequence[str]) -> Iterator[Step]:
    """Both texts from their beginning to their end, by a longest common subsequence of words.

    Words are equal if they are so letter by letter, without the white space around them. Shared
    runs and differences take turns.
    """
    from rapidfuzz.distance import LCSseq

    numbers: dict[str, int] = {}
    left, right = (
        [numbers.setdefault(word.strip(), len(numbers)) for word in words]
        for words in (reference, answer)
    )
    runs = itertools.groupby(LCSseq.opcodes(left, right), key=lambda step: step.tag == "equal")
    for same, run in runs:
        parts = list(run)
        start, end = parts[0], parts[-1]
        yield Step(
            same,
            reference[start.src_start : end.src_end],
            answer[start.dest_start : end.dest_end],
        )


def differences(reference: str, answer: str) -> list[tuple[Kind, str]]:
    """The answer in pieces, with what it lacks of the reference put where it is missing.

    All pieces but those that are ``missing``, which stand in the reference alone, are the answer,
    character by character. A lone short word between two differences ("a", "of") differs too: that
    both texts have it is chance, and the rest reads better. The first 4,000 words (20,000
    characters) of each text are compared; what an answer has behind them is ``rest``.
    """
    wanted, said = _words(reference), _words(answer)
    runs: list[tuple[Kind, str]] = []
    for step in _without_chance(list(steps(wanted, said))):
        ours, theirs = "".join(step.answer), "".join(step.reference)
        pieces: list[tuple[Kind, str]] = [("missing", theirs), ("extra", ours)]
        runs += [("same", ours)] if step.same else [piece for piece in pieces if piece[1]]
    rest = answer[sum(map(len, said)) :]
    return [*runs, ("rest", rest)] if rest else runs


def sides(reference: str, answer: str) -> tuple[Runs, Runs]:
    """Both texts in pieces, as :func:`differences` compares them; what is beyond is left out."""
    steps_ = _without_chance(list(steps(_words(reference), _words(answer))))
    return (
        [("".join(step.reference), not step.same) for step in steps_ if step.reference],
        [("".join(step.answer), not step.same) for step in steps_ if step.answer],
    )


def _without_chance(steps_: Sequence[Step]) -> list[Step]:
    merged: list[Step] = []
    for place, step in enumerate(steps_):
        between = 0 < place < len(steps_) - 1
        same = step.same and not (between and _is_chance(step.answer))
        if merged and not same and not merged[-1].same:
            before = merged.pop()
            step = Step(False, [*before.reference, *step.reference], [*before.answer, *step.answer])
        merged.append(Step(same, step.reference, step.answer))
    return merged


def _is_chance(words: Sequence[str]) -> bool:
    return len(words) == 1 and len(words[0].strip()) < _CLEAR and words[0].isascii()


def closest(references: Sequence[str], answer: str) -> str:
    """The reference that shares the greatest part of its words with the answer; else the first.

    The first 200 of them are compared.
    """
    if len(references) < 2:
        return references[0] if references else ""
    said = _bare(answer)

    def likeness(text: str) -> float:
        wanted = _bare(text)
        return 2 * len(said & wanted) / (len(said) + len(wanted) or 1)

    return max(references[:MOST_TEXTS], key=likeness)


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:MOST_CHARACTERS])[:MOST_WORDS]


def _bare(text: str) -> set[str]:
    return {word.strip().casefold() for word in _words(text)}
