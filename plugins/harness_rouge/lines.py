"""Summary-level hits of many texts at once, for few and short lines.

The same paths as in :mod:`harness_rouge.lcs`, but each pair of a reference's and an answer's
line is an element of an array: its row is one uint64, and all pairs take a step together.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness_rouge.ngrams import Counts, Tokens, common_tokens

Bits = npt.NDArray[np.uint64]

LONGEST = 63  # tokens of a line; one bit is left for the last carry
MOST_LINES = 10  # of an answer; with more lines text by text is faster
_MOST_PAIRS = 1 << 14
_ONE = np.uint64(1)
_END = np.uintc(0xFFFFFFFF)  # no token: there are fewer


def fit(answer: Sequence[array[int]], reference: Sequence[array[int]]) -> bool:
    """True if these lines are few and short enough for :func:`hits`."""
    longest = max(map(len, (*answer, *reference)))
    return longest <= LONGEST and len(answer) <= MOST_LINES


class Lines:
    """The lines of several texts, one after the other.

    Attributes:
        tokens: of all lines.
        lengths, starts: of each line, the latter as places in ``tokens``.
        counts, firsts: each text's number of lines and its first line.
        texts: each line's text.
    """

    def __init__(self, texts: Sequence[Sequence[array[int]]]) -> None:
        lines = [line for text in texts for line in text]
        self.tokens: Tokens = np.frombuffer(b"".join(lines), dtype=np.uintc)
        self.lengths = np.array([len(line) for line in lines])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.counts = np.array([len(text) for text in texts])
        self.firsts = np.cumsum(self.counts) - self.counts
        self.texts: Counts = np.repeat(np.arange(len(texts)), self.counts)

    def owners(self) -> Counts:
        """Each token's text."""
        return np.repeat(self.texts, self.lengths)


def hits(answers: Lines, references: Lines) -> Counts:
    """What :func:`harness_rouge.lcs.summary_hits` counts, for each answer and reference."""
    matched = np.zeros(len(references.tokens), dtype=bool)
    for ours, theirs in _pairs(answers, references):
        lengths = answers.lengths[ours]
        for shorter, width in pairwise((0, 7, 15, 31, LONGEST)):
            chosen = (lengths > shorter) & (lengths <= width)
            if chosen.any():
                _mark(matched, answers, ours[chosen], references, theirs[chosen], width + 1)
    return common_tokens(
        (answers.owners(), answers.tokens),
        (references.owners()[matched], references.tokens[matched]),
        len(answers.counts),
    )


def _pairs(answers: Lines, references: Lines) -> Iterator[tuple[Counts, Counts]]:
    """Lines of the answers and references that are to be compared, some at a time."""
    counts = answers.counts[references.texts]
    ends = np.cumsum(counts)
    low = 0
    while low < len(counts):
        before = ends[low - 1] if low else 0
        high = max(int(np.searchsorted(ends, before + _MOST_PAIRS, side="right")), low + 1)
        part = counts[low:high]
        theirs = np.repeat(np.arange(low, high), part)
        nth = np.arange(len(theirs)) - np.repeat(np.cumsum(part) - part, part)
        yield answers.firsts[references.texts[theirs]] + nth, theirs
        low = high


def _mark(
    matched: npt.NDArray[np.bool_],
    answers: Lines,
    ours: Counts,
    references: Lines,
    theirs: Counts,
    width: int,
) -> None:
    """Set the places of the references' tokens that the paths take, in these pairs of lines.

    Args:
        width: 8, 16, 32 or 64; more than the longest of ``ours``.
    """
    order = np.argsort(-references.lengths[theirs], kind="stable")
    ours, theirs = ours[order], theirs[order]
    columns = _columns(answers, ours, width)
    starts = references.starts[theirs]
    # Pairs whose reference's line has ended are at the end of the arrays.
    active = np.searchsorted(-references.lengths[theirs], -np.arange(LONGEST + 1))
    row = every = (_ONE << answers.lengths[ours].astype(np.uint64)) - _ONE
    steps = []
    for place, size in enumerate(active[active > 0]):
        tokens = references.tokens[starts[:size] + place]
        partners = _packed(columns[:size] == tokens[:, None])
        row, takes = _down(row[:size], partners, every[:size])
        steps.append((partners, takes))
    _climb(matched, starts, steps, (every >> _ONE) + _ONE)


def _columns(answers: Lines, ours: Counts, width: int) -> Tokens:
    """``(len(ours), width)``: the tokens of these lines, ``_END`` where a line has ended."""
    places = np.arange(width)
    within = places < answers.lengths[ours][:, None]
    indices = np.where(within, answers.starts[ours][:, None] + places, 0)
    return np.where(within, answers.tokens[indices], _END)


def _packed(equal: npt.NDArray[np.bool_]) -> Bits:
    """Each row of 8, 16, 32 or 64 as one number, the first column as its lowest bit."""
    octets = np.packbits(equal, axis=1, bitorder="little")
    return octets.view(f"<u{octets.shape[1]}")[:, 0].astype(np.uint64)


def _down(row: Bits, partners: Bits, every: Bits) -> tuple[Bits, Bits]:
    """The next row, and the bits from which a path takes a pair."""
    matched = row & partners
    total = row + matched
    rest = row ^ matched
    return (rest | total) & every, partners | ((rest ^ total) >> _ONE)


def _climb(
    matched: npt.NDArray[np.bool_], starts: Counts, steps: list[tuple[Bits, Bits]], last: Bits
) -> None:
    """Follow the paths from the last rows up."""
    paths = last
    for place in range(len(steps) - 1, -1, -1):
        partners, takes = steps[place]
        size = len(partners)
        taking = takes & paths[:size]
        took = np.flatnonzero(taking)
        matched[starts[took] + place] = True
        bits = taking[took]
        # The nearest partner at or left of the path's bit; the path goes on left of it.
        nearest = _highest(partners[took] & ((bits << _ONE) - _ONE))
        paths[took] = nearest >> _ONE


def _highest(numbers: Bits) -> Bits:
    """The highest bit of each number above 0."""
    for shift in (1, 2, 4, 8, 16, 32):
        numbers = numbers | (numbers >> np.uint64(shift))
    return numbers ^ (numbers >> _ONE)
