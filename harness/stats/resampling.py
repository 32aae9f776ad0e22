"""The bootstrap over whole groups: weights, and totals under them.

Each draw takes K of K groups with replacement (Efron and Tibshirani, *An Introduction to the
Bootstrap*, 1993; for corpus scores Koehn, *Statistical Significance Tests for Machine
Translation Evaluation*, 2004), so its weights are multinomial. They are not counted from K
random indices but built so that nearly all work is on bytes in cache:

1. Independent Poisson counts, of a mean a little below 1, fill all K places. A random byte is
   looked up in a table that holds the 256ths of the Poisson law; the one byte in a hundred that
   falls on no full 256th is drawn again from what the table leaves over.
2. Given their total T, such counts are multinomial with T trials. A draw with T > K is thrown
   away, which looks at T only and so changes nothing in that.
3. K - T further places are drawn one by one. T + (K - T) trials make K.

The result is the multinomial law itself, as exact as a double is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.stats.groups import Floats

Counts = npt.NDArray[np.uint8]

DRAWS = 2000
_CELLS = 1 << 22  # weights drawn at once: 4 MiB; part of what a seed means
_TILE = 64  # draws multiplied at once, so that their weights as doubles stay in cache
# Up to so many multiplications OpenBLAS keeps a product on one core. Thin products gain nothing
# from a second one, and wait long for it where other work keeps it busy.
_ONE_CORE = 1 << 18
_LEFT_OVER = 255  # a byte of the table that stands for no count
_MOST = 40  # a Poisson count of mean 1 goes beyond with probability 1e-50


def weights(count: int, seed: int, draws: int = DRAWS) -> Iterator[Counts]:
    """Multinomial weights ``(block, K)``: how often each draw takes each of K groups.

    Equal ``count``, ``seed`` and ``draws`` give equal weights, which is how all metrics and both
    sides of a comparison share one weight matrix without holding it. No weight reaches 256: with
    up to 255 groups none can, with more the odds are below 1e-500.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    law = _Poisson(max(0.0, 1 - 4 / math.sqrt(count)))
    block = max(1, _CELLS // count)
    for start in range(0, draws, block):
        yield _multinomial(rng, law, min(block, draws - start), count)


def product(counts: Counts, table: Floats) -> Floats:
    """``counts (draws, K) @ table (K, c)`` in float64, without all counts as doubles at once."""
    result = np.zeros((len(counts), table.shape[1]))
    width = max(16, _ONE_CORE // (_TILE * max(1, table.shape[1])))
    for top in range(0, len(counts), _TILE):
        rows, into = counts[top : top + _TILE], result[top : top + _TILE]
        for left in range(0, len(table), width):
            tile = rows[:, left : left + width].astype(np.float64)
            into += tile @ table[left : left + width]
    return result


def replicates(sums: Floats, seed: int, draws: int = DRAWS) -> Floats:
    """Resampled totals ``(draws, c)`` of group sums ``(K, c)``, any number of columns."""
    return np.concatenate([product(block, sums) for block in weights(len(sums), seed, draws)])


def random_bytes(rng: np.random.Generator, count: int) -> bytearray:
    """Uniform bytes, equal on machines of either byte order."""
    words = rng.bit_generator.random_raw(-(-count // 8))
    return bytearray(words.astype("<u8", copy=False))[:count]


class _Poisson:
    """Draws counts of one Poisson law through a table of its 256ths."""

    def __init__(self, mean: float) -> None:
        law = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(_MOST)]
        parts = 256 * np.array(law)
        full = np.floor(parts).astype(int)
        table = np.repeat(np.arange(_MOST), full).tolist()
        self._table = bytes(table + [_LEFT_OVER] * (256 - len(table)))
        self._left_over = np.cumsum(parts - full)

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Counts:
        cells = random_bytes(rng, math.prod(shape)).translate(self._table)
        counts = np.frombuffer(cells, np.uint8)
        open_ = np.flatnonzero(counts == _LEFT_OVER)
        chosen = rng.random(len(open_)) * self._left_over[-1]
        counts[open_] = np.searchsorted(self._left_over, chosen, side="right")
        return counts.reshape(shape)


def _multinomial(rng: np.random.Generator, law: _Poisson, draws: int, count: int) -> Counts:
    """Weights ``(draws, count)`` whose rows add up to ``count``."""
    counts = law.draw(rng, (draws, count))
    missing = count - counts.sum(axis=1, dtype=np.int64)
    while len(over := np.flatnonzero(missing < 0)):
        counts[over] = law.draw(rng, (len(over), count))
        missing[over] = count - counts[over].sum(axis=1, dtype=np.int64)
    starts = np.repeat(np.arange(draws) * count, missing)
    places = starts + rng.integers(0, count, len(starts))
    np.add.at(counts.reshape(-1), places, np.uint8(1))
    return counts
