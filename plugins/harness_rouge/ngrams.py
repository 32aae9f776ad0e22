"""How many n-grams two texts have in common, for many pairs of texts at once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Tokens = npt.NDArray[np.uintc]

_MOST_KEYS = 1 << 62  # keys are int64, and one bit says on which side an n-gram stands


class Ngrams:
    """N-grams of pairs of texts, of one order after the other, beginning with 1.

    An n-gram of a pair is one integer: the pair, then the tokens, as digits of a number.

    Args:
        texts: token numbers, typecode ``I``: both texts of a pair, then those of the next.
    """

    def __init__(self, texts: Sequence[array[int]]) -> None:
        self._tokens = np.frombuffer(b"".join(texts), dtype=np.uintc).astype(np.int64)
        self._lengths = np.array([len(text) for text in texts])
        self._text = np.repeat(np.arange(len(texts)), self._lengths)
        self._base = int(self._tokens.max(initial=0)) + 1
        self._keys = self._text >> 1
        self._limit = len(texts) // 2
        self._order = 0
        self.lengthen()

    def lengthen(self) -> None:
        """Go on to n-grams of one token more."""
        if self._limit > _MOST_KEYS // self._base:
            # Ranks, in the same order, take the place of the numbers.
            distinct, self._keys = np.unique(self._keys, return_inverse=True)
            self._limit = len(distinct)
        self._order += 1
        last = self._tokens[self._order - 1 :]
        self._keys = self._keys[: len(last)] * self._base + last
        self._limit *= self._base

    def totals(self) -> tuple[Counts, Counts]:
        """How many n-grams the first texts have, and the second."""
        totals = np.maximum(self._lengths - (self._order - 1), 0)
        return totals[0::2], totals[1::2]

    def common(self) -> Counts:
        """Size of the intersection of both bags, for each pair."""
        first = self._text[: len(self._keys)]
        within = first == self._text[self._order - 1 :]  # n-grams do not cross texts
        ours, theirs = self.totals()
        return _common(self._keys[within], first[within] & 1, ours + theirs, self._limit)


def common_tokens(
    first: tuple[Counts, Tokens], second: tuple[Counts, Tokens], pairs: int
) -> Counts:
    """Size of the intersection of two bags of tokens, for each pair.

    Args:
        first, second: each token's pair, in ascending order, and the token.
    """
    owners = np.concatenate((first[0], second[0]))
    tokens = np.concatenate((first[1], second[1]))
    sides = np.repeat((0, 1), (len(first[1]), len(second[1])))
    base = int(tokens.max(initial=0)) + 1
    return _common(
        owners * base + tokens, sides, np.bincount(owners, minlength=pairs), pairs * base
    )


def _common(keys: Counts, sides: Counts, totals: Counts, limit: int) -> Counts:
    """Size of the intersection of each pair's bags.

    Args:
        keys: numbers below ``limit`` that ascend with the pair; equal for equal n-grams.
        sides: 0 or 1 for each key.
        totals: each pair's number of keys.
    """
    if not len(keys):
        return np.zeros(len(totals), dtype=np.int64)
    keys = (keys << 1) | sides
    keys = np.sort(keys.astype(np.uint32) if limit < 1 << 31 else keys)
    group = keys >> 1
    starts = np.concatenate(([0], np.flatnonzero(group[1:] != group[:-1]) + 1))
    sizes = np.diff(starts, append=len(keys))
    second = np.add.reduceat(keys & 1, starts)
    # The groups of a pair stand together, in the order of the pairs.
    bounds = np.searchsorted(starts, np.concatenate(([0], np.cumsum(totals))))
    sums = np.concatenate(([0], np.cumsum(np.minimum(second, sizes - second))))
    return np.diff(sums[bounds])
