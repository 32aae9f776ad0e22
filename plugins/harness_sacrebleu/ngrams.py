"""N-grams that answers share with their references, counted for a block of pairs at once.

A text is the bytes of its symbols: 32-bit integers in the machine's byte order, which stand for
tokens or for characters. Every n-gram of a block becomes one 64-bit number that no other n-gram
can have: the pair's place, the n symbols (renumbered within the block, so that few bits will
do), and which text of the pair it is in. Sorting these numbers brings equal n-grams together,
and counting the runs gives all counts of all pairs in a few passes over the array.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Symbols = bytes

SIZE = 4  # bytes of a symbol
BLOCK = 32  # pairs; the arrays of a block of sentences then fit a processor's first caches
_BITS, _HALF = 63, 31


def length(text: Symbols) -> int:
    """Number of symbols."""
    return len(text) // SIZE


def matches(
    answers: Sequence[Symbols], references: Sequence[Sequence[Symbols]], orders: int
) -> Ints:
    """Clipped matches ``(n, orders)`` of order 1 to ``orders``.

    An n-gram matches at most as often as in the reference that has it most often. The counts
    of a pair do not depend on the other pairs.

    Args:
        references: one or more for each answer.
    """
    if len(answers) > BLOCK:
        starts = range(0, len(answers), BLOCK)
        slices = [slice(start, start + BLOCK) for start in starts]
        return np.concatenate([matches(answers[s], references[s], orders) for s in slices])
    block = _block(answers, references)
    if block.bits(orders) <= _BITS:
        return _counted(block, orders)
    if len(answers) == 1:
        return np.array([_counted_alone(answers[0], references[0], orders)], dtype=np.int64)
    half = len(answers) // 2  # fewer pairs have fewer distinct symbols
    parts = (slice(half), slice(half, None))
    return np.concatenate([matches(answers[s], references[s], orders) for s in parts])


class _Block(NamedTuple):
    """All texts of some pairs, one after the other; arrays with one item per symbol.

    Attributes:
        pairs: how many.
        symbols: renumbered from 0.
        pair: the pair's place.
        slot: 0 in the answer, 1 and up in its references.
        room: symbols from here to the end of the text, this one included.
        symbol_bits, slot_bits: bits that hold any symbol, any slot.
    """

    pairs: int
    symbols: Ints
    pair: Ints
    slot: Ints
    room: Ints
    symbol_bits: int
    slot_bits: int

    def bits(self, orders: int) -> int:
        """Bits of the longest n-gram's number."""
        return self.pairs.bit_length() + orders * self.symbol_bits + self.slot_bits


def _block(answers: Sequence[Symbols], references: Sequence[Sequence[Symbols]]) -> _Block:
    texts = [*answers, *chain.from_iterable(references)]
    numbers = list(map(len, references))
    slots = max(numbers)
    pairs = np.arange(len(answers))
    owners = np.concatenate([pairs, np.repeat(pairs, numbers)])
    slot = [*[0] * len(answers), *chain.from_iterable(range(1, n + 1) for n in numbers)]
    lengths = np.fromiter(map(length, texts), np.int64, len(texts))
    ends = np.repeat(np.cumsum(lengths), lengths)
    symbols, distinct = _renumbered(np.frombuffer(b"".join(texts), np.int32))
    return _Block(
        pairs=len(answers),
        symbols=symbols,
        pair=np.repeat(owners, lengths),
        slot=np.repeat(np.array(slot), lengths),
        room=ends - np.arange(len(ends)),
        symbol_bits=distinct.bit_length(),
        slot_bits=slots.bit_length(),
    )


def _renumbered(symbols: npt.NDArray[np.int32]) -> tuple[Ints, int]:
    """The symbols as numbers from 0, and how many distinct ones there are."""
    if not len(symbols):
        return np.empty(0, np.int64), 0
    present = np.zeros(int(symbols.max()) + 1, dtype=np.bool_)
    present[symbols] = True
    distinct = np.flatnonzero(present)
    numbers = np.empty(len(present), np.int64)
    numbers[distinct] = np.arange(len(distinct))
    return numbers[symbols], len(distinct)


def _counted(block: _Block, orders: int) -> Ints:
    counts = np.zeros((block.pairs, orders), np.int64)
    for order, grams in enumerate(_grams(block, orders), start=1):
        if not len(grams):
            break
        if block.bits(order) <= _HALF:  # such numbers are sorted in half the time
            grams = grams.astype(np.int32)
        pair, shared = _shared(grams, block.slot_bits)
        if not len(shared):
            break  # no longer n-gram can match either
        owner = pair >> (order * block.symbol_bits)
        counts[:, order - 1] = np.bincount(owner, shared, minlength=block.pairs)
    return counts


def _grams(block: _Block, orders: int) -> Iterator[Ints]:
    """For each order, the numbers of all n-grams, in no order."""
    symbols, codes = block.symbols, block.pair
    for order in range(1, orders + 1):
        last = symbols[order - 1 :]
        codes = codes[: len(last)] << block.symbol_bits | last
        whole = block.room[: len(last)] >= order  # others would run into the next text
        yield codes[whole] << block.slot_bits | block.slot[: len(last)][whole]


def _shared(grams: Ints, slot_bits: int) -> tuple[Ints, Ints]:
    """N-grams (without slot) that an answer shares with a reference, and how often."""
    grams.sort()
    starts = _run_starts(grams)
    counts = np.diff(starts, append=len(grams))
    grams = grams[starts]
    slots = grams & ((1 << slot_bits) - 1)
    codes = grams >> slot_bits
    groups = _run_starts(codes)
    sizes = np.diff(groups, append=len(codes))
    # The answer's slot is 0, so it comes first in its group.
    shared = (slots[groups] == 0) & (sizes > 1)
    most = np.maximum.reduceat(np.where(slots == 0, 0, counts), groups)
    chosen = groups[shared]
    return codes[chosen], np.minimum(counts[chosen], most[shared])


def _run_starts(ordered: Ints) -> Ints:
    """Where each run of equal numbers begins."""
    starts = np.empty(len(ordered), dtype=np.bool_)
    starts[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    return np.flatnonzero(starts)


def _counted_alone(answer: Symbols, references: Sequence[Symbols], orders: int) -> list[int]:
    """The matches of one pair, whatever its number of distinct symbols."""
    ours = _numbers(answer)
    theirs = list(map(_numbers, references))
    counts = []
    for order in range(1, orders + 1):
        # The union of bags has each n-gram as often as the reference that has it most often.
        most = functools.reduce(operator.or_, (_bag(numbers, order) for numbers in theirs))
        counts.append((_bag(ours, order) & most).total())
    return counts


def _numbers(text: Symbols) -> list[int]:
    return list(memoryview(text).cast("i"))


def _bag(numbers: Sequence[int], order: int) -> Counter[tuple[int, ...]]:
    return Counter(zip(*(numbers[start:] for start in range(order)), strict=False))
