"""Scores as they would lie if they had nothing to do with the slices: exchanged between groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.stats.groups import Floats, Ints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DRAWS = 1000
LIKE = 8
"""Groups of like size that a block of scores can go to, at least."""
MOST_ROWS = 10_000
"""With more rows the normal limit takes the place of exchanged scores."""
_CELLS = 1 << 21
_NOTHING = 1e-12


@dataclass(frozen=True)
class Moved:
    """Sums of c pulls over n rows, as they are and as they fell in d draws.

    Attributes:
        z: ``(c,)`` in units of ``spread``; more = the slice scores lower.
        drawn: ``(d, c)`` likewise.
        spread: ``(c,)`` standard deviation over the draws; 0 where nothing moves.
        skew: ``(c,)`` of z, which ``drawn`` has as well where ``exact``.
    """

    z: Floats
    drawn: Floats
    spread: Floats
    skew: Floats
    exact: bool


@dataclass(frozen=True)
class Exchange:
    """Blocks of scores that change places between groups of like size.

    The scores of a group stay together, so what they have in common stays with them (Winkler et
    al., *Multi-level block permutation*, NeuroImage 2015). Where groups are of different size,
    those next in size lend each other their scores: as many as there is room for, from a place
    in the block that is drawn, and from its start again where they do not suffice.

    Attributes:
        places: ``(d, n)``: the row whose score lies there in a draw.
    """

    places: npt.NDArray[np.int32]

    @classmethod
    def of(cls, codes: Ints, seed: int, draws: int = DRAWS) -> Exchange:
        """Draws for rows of groups ``codes (n,)`` from 0 to K - 1, none of them empty."""
        rng = np.random.default_rng(seed)
        sizes = np.bincount(codes)
        order = np.argsort(codes, kind="stable").astype(np.int32)
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        within = np.empty(len(codes), dtype=np.int64)
        within[order] = np.arange(len(codes)) - np.repeat(start, sizes)
        places = np.empty((draws, len(codes)), dtype=np.int32)
        for rows in _blocks(draws, len(codes)):
            lender = np.tile(np.arange(len(sizes)), (len(places[rows]), 1))
            for alike in strata(sizes):
                lender[:, alike] = rng.permuted(lender[:, alike], axis=1)
            turn = rng.integers(0, 1 << 30, lender.shape) if sizes.max() > 1 else lender * 0
            source = lender[:, codes]
            places[rows] = order[start[source] + (within + turn[:, codes]) % sizes[source]]
        return cls(places)

    def moved(self, values: Floats, pulls: Floats) -> Moved:
        """Sums of values ``(n,)`` times pulls ``(c, n)``, each pull of sum 0."""
        drawn = np.empty((len(self.places), len(pulls)))
        for rows in _blocks(len(self.places), len(values)):
            drawn[rows] = values[self.places[rows]] @ pulls.T
        middle = drawn.mean(axis=0)
        drawn -= middle
        spread = drawn.std(axis=0)
        spread[spread <= _NOTHING * np.abs(values).max(initial=0.0)] = 0.0
        unit = np.where(spread > 0, spread, np.inf)
        drawn /= unit
        return Moved((pulls @ values - middle) / unit, drawn, spread, (drawn**3).mean(axis=0), True)


@dataclass(frozen=True)
class Limit:
    """What exchanged scores come to with very many groups: a normal law.

    Scores of one group are taken to be correlated all alike, and groups to be independent: that
    is the covariance which exchanged blocks have. It is the same for all groups, so slices of few
    of them borrow the spread of all.
    """

    codes: Ints
    seed: int
    draws: int = DRAWS

    def moved(self, values: Floats, pulls: Floats) -> Moved:
        """As :meth:`Exchange.moved`."""
        n, sizes = len(values), np.bincount(self.codes)
        own, pairs = float(values @ values), float(sizes @ (sizes - 1))
        sums = np.bincount(self.codes, values)
        shared = max(0.0, (float(sums @ sums) - own) / pairs) if pairs else 0.0
        square = (own / n - shared) * (pulls @ pulls.T)
        if shared:
            of_groups = np.array([np.bincount(self.codes, pull) for pull in pulls])
            square += shared * (of_groups @ of_groups.T)
        spread = np.sqrt(np.maximum(0.0, square.diagonal()))
        spread = np.where(spread <= _NOTHING * np.abs(values).max(initial=0.0), 0.0, spread)
        unit = np.where(spread > 0, spread, np.inf)
        roots, sides = np.linalg.eigh(square / np.outer(unit, unit))
        noise = np.random.default_rng(self.seed).standard_normal((self.draws, len(pulls)))
        drawn = noise @ (sides * np.sqrt(np.maximum(roots, 0.0))).T
        skew = (pulls**3).sum(axis=1) * float((values**3).mean()) / unit**3
        return Moved(pulls @ values / unit, drawn, spread, skew, False)


def chance(codes: Ints, seed: int) -> Exchange | Limit:
    """What chance does to the rows of these groups: by exchange, or by its limit."""
    return Exchange.of(codes, seed) if len(codes) <= MOST_ROWS else Limit(codes, seed)


def strata(sizes: Ints) -> Sequence[Ints]:
    """Groups of like size, ``LIKE`` or more together: those of one size, and the next in size
    where these are too few."""
    order = np.argsort(sizes, kind="stable")
    layers: list[list[int]] = [[]]
    for place, group in enumerate(order.tolist()):
        if place and sizes[group] != sizes[order[place - 1]] and len(layers[-1]) >= LIKE:
            layers.append([])
        layers[-1].append(group)
    if len(layers) > 1 and len(layers[-1]) < LIKE:
        layers[-2:] = [layers[-2] + layers[-1]]
    return [np.array(alike) for alike in layers]


def _blocks(draws: int, rows: int) -> Iterator[slice]:
    size = max(1, _CELLS // max(1, rows))
    return (slice(start, min(draws, start + size)) for start in range(0, draws, size))
