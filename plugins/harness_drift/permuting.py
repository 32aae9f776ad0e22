"""Two samples compared by permutation: whole groups change sides, all else stays.

Under the hypothesis that both sides come from one source, each way to deal the groups is equally
likely, so a p is exact for any statistic, with any number of columns and groups of any size
(Gretton et al. 2012, *A kernel two-sample test*; Westfall and Young 1993 for the largest of many).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

DIMENSIONS = 4096
"""Of the hashed character 3-grams."""
READ = 4_000
"""Characters of a text that are looked at."""
DIRECTIONS = 12
"""In which weeks are looked at; the rest of a text is its own words."""
_MIX = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint64)  # odd, as in xxHash
_BLOCK = 500  # permutations that are computed together


@dataclass(frozen=True, slots=True)
class Deal:
    """Groups on two sides.

    Attributes:
        of: the group of each row, ``(n,)``, counted from 0.
        live: whether each group is live, ``(g,)``.
        permutations: how often they are dealt anew.
    """

    of: Ints
    live: Mask
    permutations: int

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows ``(n, k)`` summed by group, ``(g, k)``; every group has a row."""
        order = np.argsort(self.of, kind="stable")
        starts = np.searchsorted(self.of[order], np.arange(len(self.live)))
        return np.add.reduceat(values[order], starts, axis=0)

    def blocks(self) -> Iterator[Singles]:
        """Sides ``(b, g)``, 1 for live: first as it is, then dealt anew, always the same."""
        draw = np.random.default_rng(0)
        groups, live = len(self.live), int(self.live.sum())
        yield self.live[None].astype(np.float32)
        for start in range(0, self.permutations, _BLOCK):
            count = min(_BLOCK, self.permutations - start)
            order = np.argpartition(draw.random((count, groups), np.float32), live - 1, axis=1)
            sides = np.zeros((count, groups), np.float32)
            np.put_along_axis(sides, order[:, :live], 1.0, axis=1)
            yield sides


def trigrams(texts: Sequence[str]) -> Singles:
    """Hashed character 3-grams, ``(n, DIMENSIONS)``: square roots of counts, each row of length 1.

    Case and runs of white space are evened.
    """
    counts = np.zeros((len(texts), DIMENSIONS), np.float32)
    for at, text in enumerate(texts):
        line = f" {' '.join(text[:READ].casefold().split())} ".ljust(3)
        letters = np.frombuffer(line.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        mixed = letters[:-2] * _MIX[0] + letters[1:-1] * _MIX[1] + letters[2:] * _MIX[2]
        places = (mixed >> np.uint64(24)) % np.uint64(DIMENSIONS)
        counts[at] = np.bincount(places.astype(np.intp), minlength=DIMENSIONS)
    # Rare grams tell more than those of every text; the weights know nothing of the sides.
    texts_with = np.count_nonzero(counts, axis=0)
    features = np.sqrt(counts) * np.log((1 + len(texts)) / (1 + texts_with)).astype(np.float32)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1.0), np.float32)


def similar(features: Singles) -> Singles:
    """How alike each two texts are, ``(n, n)``: cosines.

    Gaussian kernels of four widths found no more of planted shifts.
    """
    return features @ features.T


def directions(alike: Singles) -> Floats:
    """Where texts lie along the directions in which they differ most, ``(n, DIRECTIONS)``.

    The principal components of their features; distances along them are those of :func:`mmd`.
    """
    from scipy.sparse.linalg import eigsh

    n = len(alike)
    to_all = alike.mean(axis=1, dtype=np.float64)
    centred = alike - to_all[:, None] - to_all + to_all.mean()
    values, vectors = eigsh(centred, min(DIRECTIONS, n - 1), v0=np.ones(n) / n)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def mmd(alike: Singles, deal: Deal) -> Floats:
    """Squared maximum mean discrepancy of the sides, ``(1 + B,)``; the first as they are.

    Args:
        alike: of :func:`similar`.
    """
    sizes = np.bincount(deal.of, minlength=len(deal.live)).astype(np.float32)
    gram = np.ascontiguousarray(deal.sums(deal.sums(alike).T), np.float32)
    to_all = gram.sum(axis=1)
    whole, rows = float(to_all.sum()), float(sizes.sum())
    discrepancies = []
    for sides in deal.blocks():
        live = np.einsum("bg,bg->b", sides @ gram, sides, dtype=np.float64)
        both = (sides @ to_all).astype(np.float64)
        count = (sides @ sizes).astype(np.float64)
        rest = rows - count
        discrepancies.append(
            live / count**2
            + (whole - 2 * both + live) / rest**2
            - 2 * (both - live) / (count * rest)
        )
    return np.concatenate(discrepancies)


def differences(values: Floats, deal: Deal) -> Floats:
    """Mean of live minus mean of the rest for each column, ``(1 + B, k)``; the first as they are.

    Args:
        values: ``(n, k)``; NaN where a row has none. A side without any value differs by 0.
    """
    present = ~np.isnan(values)
    sums = deal.sums(np.where(present, values, 0.0))
    counts = deal.sums(present.astype(np.float64))
    all_sums, all_counts = sums.sum(axis=0), counts.sum(axis=0)
    blocks = []
    for sides in deal.blocks():
        live, of_live = sides @ sums, sides @ counts
        rest, of_rest = all_sums - live, all_counts - of_live
        both = (of_live > 0) & (of_rest > 0)
        means = live / np.maximum(of_live, 1) - rest / np.maximum(of_rest, 1)
        blocks.append(np.where(both, means, 0.0))
    return np.concatenate(blocks)


@dataclass(frozen=True, slots=True)
class Largest:
    """Many columns tested at once by the largest of their differences, each over its own spread.

    Attributes:
        spread: standard deviation of each column's difference over all deals, ``(k,)``.
        p: of each column, adjusted for there being many, ``(k,)``.
        largest: of the columns, in each deal, ``(1 + B,)``; the first as they are.
    """

    spread: Floats
    p: Floats
    largest: Floats


def largest(dealt: Floats) -> Largest:
    """The test of :func:`differences` ``(1 + B, k)``."""
    spread = dealt.std(axis=0)
    far = np.abs(dealt) / np.where(spread > 1e-12, spread, np.inf)
    most = far.max(axis=1)
    p = np.array([np.mean(most >= actual - 1e-9) for actual in far[0]])
    return Largest(spread, p, most)


def p_of(statistics: Floats) -> float:
    """Share of deals that are as extreme as the first, itself among them."""
    actual = statistics[0]
    # Rounding must not make a deal less extreme that is the same as the first.
    return float(np.mean(statistics >= actual - 1e-9 * abs(actual)))
