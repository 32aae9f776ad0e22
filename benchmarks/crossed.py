"""How often the bounds of a verdict on a method hold, over seeds and groups of rows.

    python benchmarks/crossed.py [--replications N] [--seed N]

Worlds whose true difference is 0 are sampled again and again: S trainings, G groups of rows, a part
of each difference that belongs to the seed, one to the group, one to neither. Each sample gets the
one-sided bounds at 95 % of three rules:

* crossed: that of ``harness.stats.crossed``, both seeds and groups drawn at random;
* rows alone: the bound over groups of the differences' mean over seeds, as if no other training
  could have come out;
* seeds alone: Student's t over the seeds' mean differences, as if no other rows could be asked.

The table, in Markdown, has the share of samples in which the lower bound lies above 0 (5 % are
allowed), of normal parts and of lopsided ones (a centred lognormal for groups; for seeds, one
training in five that fails while the others are a little better). Takes half a minute.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness import stats
from harness.stats import student

LEVEL = 0.95
SPREADS = ((0.0, 0.3, 0.3), (0.02, 0.3, 0.3), (0.05, 0.3, 0.3), (0.2, 0.3, 0.3), (0.05, 0.0, 0.3))
"""Standard deviations that belong to seed, group, and neither."""

FAILS = 0.2
"""Share of trainings that fail; -2 and .5 standard deviations have mean 0 and spread 1 then."""


@dataclass(frozen=True)
class World:
    """Seeds, groups, spreads, and what is not normal.

    Attributes:
        lopsided: to which side what belongs to a group has its long tail.
        failing: whether one training in five fails, by four times what the others gain.
    """

    seeds: int
    groups: int
    spreads: tuple[float, float, float]
    lopsided: int = 0
    failing: bool = False

    def sample(self, rng: np.random.Generator) -> stats.Floats:
        """Differences ``(S, G)`` whose expectation is 0."""
        of_seed, of_group, of_cell = self.spreads
        shape = (self.seeds, self.groups)
        group = rng.normal(0, 1, (1, self.groups))
        if self.lopsided:
            group = (np.exp(group) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)
            group = self.lopsided * group
        seed = rng.normal(0, of_seed, (self.seeds, 1))
        if self.failing:
            seed = of_seed * np.where(rng.random((self.seeds, 1)) < FAILS, -2.0, 0.5)
        return seed + of_group * group + rng.normal(0, of_cell, shape)


def worlds() -> Iterator[World]:
    for seeds, groups in ((5, 20), (5, 50), (5, 150), (10, 50)):
        for spreads in SPREADS:
            yield World(seeds, groups, spreads)
    for groups in (50, 150):
        for side in (1, -1):
            yield World(5, groups, (0.05, 0.3, 0.3), side)
    for seeds, of_seed in ((5, 0.05), (5, 0.15), (10, 0.15), (20, 0.15)):
        yield World(seeds, 50, (of_seed, 0.3, 0.3), failing=True)


def lower_bounds(cells: stats.Floats) -> tuple[float | None, float, float]:
    """Those of crossed, rows alone, seeds alone."""
    found: list[float] = []
    for axis in (0, 1):
        means = cells.mean(axis=axis)
        reach = student.quantile(len(means) - 1, LEVEL)
        found.append(float(means.mean() - reach * means.std(ddof=1) / math.sqrt(len(means))))
    return stats.crossed(cells).bounds(LEVEL)[0], found[0], found[1]


def row(world: World, replications: int, rng: np.random.Generator) -> str:
    called = np.zeros(3)
    for _ in range(replications):
        bounds = lower_bounds(world.sample(rng))
        called += [bound is not None and bound > 0 for bound in bounds]
    shown = " | ".join(f"{100 * share:.1f} %" for share in called / replications)
    of_seed, of_group, of_cell = world.spreads
    shape = {0: "", 1: ", long tail above", -1: ", long tail below"}[world.lopsided]
    fails = ", one in five fails" if world.failing else ""
    drawn = f"{of_seed:g}{fails} | {of_group:g}{shape} | {of_cell:g}"
    return f"| {world.seeds} | {world.groups} | {drawn} | {shown} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replications", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(
        "| seeds | groups | sd of seed | of group | of cell | crossed | rows alone | seeds alone |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for world in worlds():
        print(row(world, given.replications, rng), flush=True)


if __name__ == "__main__":
    main()
