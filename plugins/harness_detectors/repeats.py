"""Pieces that come again and again, and pieces of the prompt that come back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness_detectors.reading import Reading, words
from harness_detectors.sizes import overlap

GRAM = 5
"""Words in a row that make a copy."""
SHORT = 15
"""Words under which an answer that has a reference's words is no mere copy."""
ALIKE = 0.5
"""Word overlap (F1) with a reference from which a copied answer is an answer."""
LONG_PIECE = 4
"""Words of a piece that makes a loop one time earlier than shorter ones do."""
VARIED = 3
"""Sentences in a row that differ in little."""
VARIED_WORDS = 5
SAME_SENTENCE = 0.8
"""Word overlap (F1) of two sentences that differ in little."""
LONGEST_LOOP = 40
READ_WORDS = 2000
"""Loops are looked for among so many words at the start of an answer and as many at its end."""
READ_CHARACTERS = 4000
SPAN = 80

_LIST_NUMBER = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|[。！？]|\n+")
_EDGES = ".,;:!?\"'()"
# Within unspaced text: 1 to 3 characters 10 times or more, so that "hahaha", rulers and numbers
# pass, 4 to 20 characters as often as words.
_SMALL = re.compile(r"(?=\S{0,2}?[^\W\d_])(\S{1,3}?)\1{9,}")


def loop(text: str, repeats: int) -> str:
    """The first piece that stands ``repeats`` times in a row, as ``piece (x 5)``, or ''.

    Pieces are 1 to 40 words or, within unspaced text, 1 to 20 characters; a piece of 4 words or
    more once less. Case, list numbers and punctuation at the edges of words are aside. Three
    sentences in a row that differ in little, numbers not being all of it, are a loop as well.
    """
    repeated = _word_loop(_plain_words(text), repeats)
    return repeated or _letter_loop(text, repeats) or _varied(text)


def _varied(text: str) -> str:
    """The first of three sentences in a row that say the same in nearly the same words."""
    for end in _ends(text, READ_CHARACTERS):
        sentences = [s for s in _SENTENCE_END.split(_LIST_NUMBER.sub("", end)) if s.strip()]
        bags = [words(sentence) for sentence in sentences]
        for place in range(len(bags) - VARIED + 1):
            first, *others = bags[place : place + VARIED]
            if all(_repeats(first, other) for other in others):
                return f"{' '.join(sentences[place].split())[:SPAN]} (x {VARIED}, varied)"
    return ""


def _repeats(first: list[str], other: list[str]) -> bool:
    """Whether the other sentence has nearly the same words, and the same numbers."""
    figures, others = ([w for w in bag if any(map(str.isdigit, w))] for bag in (first, other))
    long = min(len(first), len(other)) >= VARIED_WORDS
    return long and figures == others and overlap(first, other) >= SAME_SENTENCE


def _plain_words(text: str) -> list[str]:
    """The words between blanks at both ends of the text (white space counts as well)."""
    # So many characters hold the words that are read, unless they are very long ones.
    ends = _ends(text, 16 * READ_WORDS)
    pieces = [piece for end in ends for piece in _LIST_NUMBER.sub("", end).split()]
    if len(pieces) > 2 * READ_WORDS:
        pieces = pieces[:READ_WORDS] + pieces[-READ_WORDS:]
    return pieces


def _ends(text: str, characters: int) -> list[str]:
    """The whole text, or so many characters of its beginning and of its end."""
    if len(text) <= 2 * characters:
        return [text]
    return [text[:characters], text[-characters:]]


def _word_loop(pieces: Sequence[str], repeats: int) -> str:
    bare = [piece.strip(_EDGES).casefold() or piece for piece in pieces]
    for period in range(1, min(LONGEST_LOOP, len(bare) // max(2, repeats - 1)) + 1):
        run = 0
        times = max(2, repeats - 1) if period >= LONG_PIECE else repeats
        for place in range(period, len(bare)):
            run = run + 1 if bare[place] == bare[place - period] else 0
            if run >= period * (times - 1):
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
    for end in _ends(text, READ_CHARACTERS):
        for match in [*_SMALL.finditer(end), *large.finditer(end)]:
            if len(set(match[1])) > 1 or len(match[0]) >= 10:
                return f"{match[1]} (x {len(match[0]) // len(match[1])})"
    return ""


def _says(answer: Sequence[str], reference: Sequence[str]) -> bool:
    """Whether an answer, however it is worded, says what a reference does."""
    whole = len(answer) < SHORT and bool(reference) and set(reference) <= set(answer)
    return whole or overlap(list(answer), list(reference)) >= ALIKE


def copied(answer: Sequence[str], prompt: Sequence[str]) -> tuple[float, str]:
    """Share of the words that stand in runs of 5 or more of the prompt's, and the first run."""
    grams = {tuple(prompt[i : i + GRAM]) for i in range(len(prompt) - GRAM + 1)}
    covered = bytearray(len(answer))  # 1 where a word is in such a run
    for place in range(len(answer) - GRAM + 1):
        if tuple(answer[place : place + GRAM]) in grams:
            covered[place : place + GRAM] = b"\1" * GRAM
    first = covered.find(1)
    if first < 0:
        return 0.0, ""
    end = covered.find(0, first)
    run = answer[first : end if end > 0 else len(answer)]
    return sum(covered) / len(answer), " ".join(run)[:SPAN].rstrip()


def copy_of_prompt(reading: Reading, share: float) -> str:
    """The first copied run, where the answer copies that much, and more than the references.

    An answer may say what is right in the prompt's own words: one that is like a reference, or a
    short one that has all that a reference says, is no copy.
    """
    prompt = words(reading.prompt)
    own_share, run = copied(reading.words, prompt)
    if own_share < share or any(_says(reading.words, words(text)) for text in reading.references):
        return ""
    usual = max((copied(words(text), prompt)[0] for text in reading.references), default=0.0)
    return run if own_share > usual else ""
