"""Which texts may be near: MinHash of weighed shingles, and buckets of equal bands.

*One permutation hashing* (Li, Owen and Zhang, 2012): each shingle falls into one of 128 bins by its
hash, and a bin's value is its smallest key. The key of a shingle of weight ``w`` is ``-ln(u) / w``,
``u`` in (0, 1] by its hash, so that the smallest keys of two texts are the same one with the
probability of their weighted Jaccard similarity (the smallest of exponential variables is the
``i``-th with probability ``w_i / sum(w)``). An empty bin takes the value of the first bin that is
not, in an order of its own (Shrivastava, *Optimal densification for fast and accurate minwise
hashing*, 2017).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.kit.alike.hashes import Numbers
from harness.kit.alike.shingles import Shingles

Floats = npt.NDArray[np.float32]
Prints = npt.NDArray[np.uint8]

BINS = 128
RECALL = 0.995
"""Probability with which a pair at the threshold shares a bucket, at least."""
MOST_NEIGHBOURS = 64
"""Texts of a bucket with which each of them is compared, at most."""
ERRORS = 4
"""Standard errors by which an estimate may be below the threshold."""
_CHUNK = 2048
_PAIRS = 1 << 16


def candidates(
    shingles: Shingles, threshold: float, watch: Callable[[int], None]
) -> tuple[Numbers, Numbers]:
    """Pairs of texts that share a bucket and have enough bins in common, the lower place first,
    sorted.

    Args:
        watch: is told how many texts are done; may raise to stop.
    """
    bands, prints = _sketched(shingles, rows_of_a_band(threshold), watch)
    texts = len(shingles.starts) - 1
    codes = [np.empty(0, np.int64)]
    for keys in bands:
        order = np.argsort(keys, kind="stable")
        order = order[keys[order] != 0]
        ordered = keys[order]
        for step in range(1, MOST_NEIGHBOURS + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(same):
                break
            codes.append(order[same] * texts + order[same + step])
    del bands
    firsts, seconds = np.divmod(np.unique(np.concatenate(codes)), max(1, texts))
    likely = _in_common(prints, firsts, seconds) >= _least(shingles, firsts, seconds, threshold)
    return firsts[likely], seconds[likely]


def _in_common(prints: Prints, firsts: Numbers, seconds: Numbers) -> npt.NDArray[np.float64]:
    """Share of the bins that are equal, by pair: an estimate of the similarity."""
    shares = np.zeros(len(firsts))
    for begin in range(0, len(firsts), _PAIRS):
        part = slice(begin, begin + _PAIRS)
        shares[part] = (prints[firsts[part]] == prints[seconds[part]]).mean(axis=1)
    return shares


def _least(
    shingles: Shingles, firsts: Numbers, seconds: Numbers, threshold: float
) -> npt.NDArray[np.float64]:
    """The estimate under which the similarity is not at the threshold: by four standard errors,
    with as many draws as the shorter text has shingles, or bins."""
    counts = shingles.counts
    draws = np.clip(np.minimum(counts[firsts], counts[seconds]), 1, BINS)
    return threshold - ERRORS * np.sqrt(threshold * (1 - threshold) / draws)


def rows_of_a_band(threshold: float) -> int:
    """Bins that two texts must have in common: the most at which a pair at the threshold is found
    with a probability of :data:`RECALL` (``1 - (1 - s^r)^b`` with ``b`` bands of ``r`` bins)."""
    for rows in range(BINS, 1, -1):
        if 1 - (1 - threshold**rows) ** (BINS // rows) >= RECALL:
            return rows
    return 1


def _sketched(
    shingles: Shingles, rows: int, watch: Callable[[int], None]
) -> tuple[npt.NDArray[np.uint64], Prints]:
    """``(bands, texts)``: a hash of each band's bins, 0 for a text without shingles that count; and
    ``(texts, bins)``: 8 bits of each bin's value, so that one pair of bins in 256 seems equal."""
    texts = len(shingles.starts) - 1
    count = BINS // rows
    bands = np.zeros((count, texts), np.uint64)
    prints = np.zeros((texts, BINS), np.uint8)
    draw = np.random.default_rng(20)
    orders = np.stack([draw.permutation(BINS) for _ in range(BINS)])
    factors = draw.integers(1, 2**63, size=rows, dtype=np.uint64) | np.uint64(1)
    for first in range(0, texts, _CHUNK):
        last = min(first + _CHUNK, texts)
        values = _densified(_minima(shingles, first, last), orders)
        bits = values.view(np.uint32)
        prints[first:last] = (bits * np.uint32(0x9E3779B1)) >> np.uint32(24)
        bits = bits[:, : count * rows].astype(np.uint64)
        mixed = (bits.reshape(last - first, count, rows) * factors).sum(axis=2)
        mixed = (mixed ^ (mixed >> np.uint64(31))) | np.uint64(1)
        mixed[np.isinf(values[:, 0])] = 0
        bands[:, first:last] = mixed.T
        watch(last)
    return bands, prints


def _minima(shingles: Shingles, first: int, last: int) -> Floats:
    """``(texts, bins)``: the smallest key in each bin, infinite where it is empty."""
    begin, end = shingles.starts[first], shingles.starts[last]
    hashes = shingles.hashes[begin:end]
    owners = np.repeat(np.arange(last - first), shingles.counts[first:last])
    uniform = ((hashes >> np.uint32(7)) + np.float32(1)) / np.float32(1 << 25)
    keys = -np.log(uniform, dtype=np.float32) / shingles.levels[begin:end]
    minima = np.full((last - first) * BINS, np.inf, np.float32)
    np.minimum.at(minima, owners * BINS + (hashes & np.uint32(BINS - 1)), keys)
    return minima.reshape(last - first, BINS)


def _densified(values: Floats, orders: Numbers) -> Floats:
    """Every empty bin filled, but for texts all of whose bins are."""
    filled = values.copy()
    empty = np.isinf(values)
    rows, bins = np.nonzero(empty & ~empty.all(axis=1, keepdims=True))
    for step in range(BINS):
        if not len(rows):
            break
        taken = values[rows, orders[bins, step]]
        filled[rows, bins] = taken
        left = np.isinf(taken)
        rows, bins = rows[left], bins[left]
    return filled
