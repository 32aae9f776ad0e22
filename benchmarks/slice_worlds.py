"""Rows with random features, one value of one of which makes answers worse, for ``slices.py``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness_slices.candidates import Candidate, distinct, pairs, singles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Rng = np.random.Generator

PAIRS = 100
PLANTED = "f00 = v00"


@dataclass(frozen=True)
class World:
    """Rows with categories of 2 to 10 values, and scores.

    Attributes:
        n: rows; ``groups`` of them (0: each row is its own), equal or ``uneven`` (Zipf's law).
        fields: categories; their pairs are tried, too.
        share: of the rows in the planted slice, on average; or just so many ``rows``.
        kinds: values of the planted field; 0: 2 to 10, drawn.
        gap: how much lower scores are in the planted slice; 0 = nothing to be found.
        mean, sd: of the scores elsewhere, by a beta law; ``passes``: 1 or 0 instead.
        between: standard deviation that whole groups share.
        whole: features belong to groups, not to rows.
        wide: scores of the planted slice spread so many times as far, without being lower.
    """

    n: int
    share: float = 0.1
    gap: float = 0.0
    passes: bool = False
    rows: int = 0
    kinds: int = 0
    fields: int = 12
    mean: float = 0.6
    sd: float = 0.25
    groups: int = 0
    uneven: bool = False
    between: float = 0.0
    whole: bool = False
    wide: float = 1.0


@dataclass(frozen=True)
class Draw:
    """Scores ``(n,)``, the group of each row, single conditions, and their pairs."""

    scores: Floats
    groups: list[str]
    single: list[Candidate]
    double: list[Candidate]

    @property
    def planted(self) -> npt.NDArray[np.bool_]:
        return next(c.inside for c in self.single if c.words == PLANTED)


def drawn(world: World, rng: Rng) -> Draw:
    """One data set."""
    codes = _groups(world, rng)
    units = int(codes.max()) + 1 if world.whole else world.n
    own = _planted(world, units, rng)
    values = [own, *(rng.integers(0, rng.integers(2, 11), units) for _ in range(1, world.fields))]
    found = []
    for field, column in enumerate(values):
        rows = column[codes] if world.whole else column
        names = [f"v{value:02}" for value in rows.tolist()]
        found += singles(f"f{field:02}", names, True, 3)
    inside = (own[codes] if world.whole else own) == 0
    single = distinct(found)
    scores = _scores(world, inside, codes, rng)
    return Draw(scores, [f"g{code:05}" for code in codes], single, pairs(single, PAIRS))


def _groups(world: World, rng: Rng) -> Ints:
    if not world.groups:
        return np.arange(world.n)
    if not world.uneven:
        return np.arange(world.n) % world.groups
    law = 1 / np.arange(1, world.groups + 1) ** 0.7
    more = rng.choice(world.groups, world.n - world.groups, p=law / law.sum())
    return np.concatenate([np.arange(world.groups), more])


def _planted(world: World, units: int, rng: Rng) -> Ints:
    """Values of the planted field: 0 for the slice."""
    others = (world.kinds or int(rng.integers(2, 11))) - 1
    inside = rng.permutation(units) < world.rows if world.rows else rng.random(units) < world.share
    return np.where(inside, 0, rng.integers(1, others + 1, units))


def _scores(world: World, inside: npt.NDArray[np.bool_], codes: Ints, rng: Rng) -> Floats:
    expected = world.mean - world.gap * inside
    if world.between:
        shared = rng.normal(0, world.between, int(codes.max()) + 1)[codes]
        expected = np.clip(expected + shared, 0.02, 0.98)
    if world.passes:
        return (rng.random(world.n) < expected).astype(np.float64)
    sd = np.where(inside, world.sd * world.wide, world.sd)
    size = np.maximum(0.2, world.mean * (1 - world.mean) / sd**2 - 1)
    return np.asarray(rng.beta(expected * size, (1 - expected) * size))
