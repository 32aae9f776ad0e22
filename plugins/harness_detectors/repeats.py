"""Pieces that come again and again, and pieces of the prompt that come back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness_detectors.reading import Reading, words

GRAM = 5
"""Words in a row that make a copy."""
LONGEST_LOOP = 40
READ_WORDS = 2000
"""Loops are looked for among so many words at the start of an answer and as many at its end."""
READ_CHARACTERS = 4000
SPAN = 80

_LIST_NUMBER = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+", re.MULTILINE)
_EDGES = ".,;:!?\"'()"
# Within unspaced text: 1 to 3 characters 10 times or more, so that "hahaha", rulers and numbers
# pass, 4 to 20 characters as often as words.
_SMALL = re.compile(r"(?=\S{0,2}?[^\W\d_])(\S{1,3}?)\1{9,}")


def loop(text: str, repeats: int) -> str:
    """The first piece that stands ``repeats`` times in a row, as ``piece (x 5)``, or ''.

    Pieces are 1 to 40 words or, within unspaced text, 1 to 20 characters. Case, list numbers and
    punctuation at the edges of words are aside.
    """
    found = _word_loop(_plain_words(text), repeats)
    return found or _letter_loop(text, repeats)


def _plain_words(text: str) -> list[str]:
    """The words between blanks at both ends of the text (white space counts as well)."""
    long = 16 * READ_WORDS
    ends = [text] if len(text) <= 2 * long else [text[:long], text[-long:]]
    pieces = [piece for end in ends for piece in _LIST_NUMBER.sub("", end).split()]
    if len(pieces) > 2 * READ_WORDS:
        pieces = pieces[:READ_WORDS] + pieces[-READ_WORDS:]
    return pieces


def _word_loop(pieces: Sequence[str], repeats: int) -> str:
    bare = [piece.strip(_EDGES).casefold() or piece for piece in pieces]
    for period in range(1, min(LONGEST_LOOP, len(bare) // repeats) + 1):
        run = 0
        for place in range(period, len(bare)):
            run = run + 1 if bare[place] == bare[place - period] else 0
            if run >= period * (repeats - 1):
                start = place - run - period + 1
                piece = " ".join(pieces[start : start + period])
                if any(map(str.isalpha, piece)):
                    return f"{piece.rstrip(',;')[:SPAN]} (x {_times(bare, start, period)})"
                run = 0
    return ""


def _times(pieces: Sequence[str], start: int, period: int) -> int:
    end = start + period
    while end < len(pieces) and pieces[end] == pieces[end - period]:
        end += 1
    return (end - start) // period


def _letter_loop(text: str, repeats: int) -> str:
    large = re.compile(rf"(?=\S{{0,19}}?[^\W\d_])(\S{{4,20}}?)\1{{{repeats - 1},}}")
    ends = [text] if len(text) <= 2 * READ_CHARACTERS else [
        text[:READ_CHARACTERS], text[-READ_CHARACTERS:]
    ]  # fmt: skip
    for end in ends:
        for found in [*_SMALL.finditer(end), *large.finditer(end)]:
            if len(set(found[1])) > 1 or len(found[0]) >= 10:
                return f"{found[1]} (x {len(found[0]) // len(found[1])})"
    return ""


def copied(mine: Sequence[str], prompt: Sequence[str]) -> tuple[float, str]:
    """Share of the words that stand in runs of 5 or more of the prompt's, and the first run."""
    known = {tuple(prompt[i : i + GRAM]) for i in range(len(prompt) - GRAM + 1)}
    covered = bytearray(len(mine))
    for place in range(len(mine) - GRAM + 1):
        if tuple(mine[place : place + GRAM]) in known:
            covered[place : place + GRAM] = b"\1" * GRAM
    first = covered.find(1)
    if first < 0:
        return 0.0, ""
    end = covered.find(0, first)
    run = mine[first : end if end > 0 else len(mine)]
    return sum(covered) / len(mine), " ".join(run)[:SPAN].rstrip()


def copy_of_prompt(reading: Reading, share: float) -> str:
    """The first copied run, where the answer copies that much, and more than the references."""
    prompt = words(reading.prompt)
    mine, run = copied(reading.words, prompt)
    if mine < share:
        return ""
    usual = max((copied(words(text), prompt)[0] for text in reading.references), default=0.0)
    return run if mine > usual else ""
