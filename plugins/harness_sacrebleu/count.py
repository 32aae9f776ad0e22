"""The counts that BLEU is made of, as sacreBLEU counts them, in fewer steps of Python."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence

ORDER = 4

Tokens = Sequence[str]
Bag = Counter[tuple[str, ...]]


def count(answer: Tokens, references: Sequence[Tokens]) -> list[int]:
    """Matches of order 1 to 4, n-grams of order 1 to 4, answer length, reference length.

    A match counts at most as often as in the reference that has it most often; the reference
    length is the one closest to the answer's, the shorter of two equally close ones.
    """
    length = len(answer)
    orders = range(1, ORDER + 1)
    matches = [0] * ORDER
    for n in orders:
        matches[n - 1] = _overlap(_bag(answer, n), _most(references, n))
        if not matches[n - 1]:  # then no longer n-gram can match either
            break
    totals = [max(length - n + 1, 0) for n in orders]
    closest = min((abs(len(tokens) - length), len(tokens)) for tokens in references)[1]
    return [*matches, *totals, length, closest]


def _bag(tokens: Tokens, n: int) -> Bag:
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))


def _most(references: Sequence[Tokens], n: int) -> Bag:
    """Each n-gram as often as the reference that has it most often."""
    return functools.reduce(operator.or_, (_bag(tokens, n) for tokens in references))


def _overlap(ours: Bag, theirs: Bag) -> int:
    shared = ours.keys() & theirs.keys()
    return sum(map(min, map(ours.__getitem__, shared), map(theirs.__getitem__, shared)))
