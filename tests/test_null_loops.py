"""How often the verdict rule is wrong, and how often it finds what is there.

A loop is three rounds on 160 dev rows. A row's score is its own difficulty, its group's, and
what is new in each round: noise of the row and of the group. In a null loop nothing else
changes from round to round, so every *improved* is false.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

import harness
from harness import foresight, verdicts
from harness.records import Measurement
from harness.scoring import Entry

ROUNDS = 3
ALPHA = verdicts.alpha_of(ROUNDS)
DRAWS = 500


class Given(harness.Metric):
    """A mean of given numbers."""

    name = "given"
    bounds = (-100.0, 100.0)


ENTRY = Entry("given", Given())


def equal() -> list[int]:
    """40 groups of 4 rows."""
    return [4] * 40


def uneven() -> list[int]:
    """45 groups: three as large as the rule allows, most of them single rows."""
    return [16, 16, 16, 12, 10, 8, 7, 6, 6, 5, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 1, *[1] * 22]


SHAPES = pytest.mark.parametrize("shape", [equal, uneven])


class World:
    """Draws the scores of one loop's rounds."""

    def __init__(self, sizes: list[int], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.codes = np.repeat(np.arange(len(sizes)), sizes)
        self.count = len(sizes)
        self.hard = self.noise(0.15, 0.10)

    def noise(self, row: float, group: float) -> np.ndarray:
        of_groups = self.rng.normal(0, group, self.count)[self.codes]
        return of_groups + self.rng.normal(0, row, len(self.codes))

    def measured(self, gain: float = 0.0) -> list[Measurement]:
        scores = 0.3 + gain + self.hard + self.noise(0.12, 0.05)
        return [Measurement(f"{i:03}", "given", (float(s),)) for i, s in enumerate(scores)]

    @property
    def groups(self) -> dict[str, str]:
        return {f"{i:03}": f"g{code:02}" for i, code in enumerate(self.codes)}


def labels(world: World, gains: Callable[[int], float]) -> list[str]:
    """The verdicts of one loop: each round against the kept one."""
    groups, kept, found = world.groups, world.measured(), []
    for round_ in range(1, ROUNDS + 1):
        new = world.measured(gains(round_))
        verdict = verdicts.judge(
            ENTRY, "given", new, kept, groups, alpha=ALPHA, seed=round_, draws=DRAWS
        )
        found.append(verdict.label)
        kept = new if verdict.label == "improved" else kept
    return found


def at_least(hits: int, trials: int) -> float:
    """Clopper and Pearson's one-sided lower 95 % bound of a share."""
    return float(special.betaincinv(hits, trials - hits + 1, 0.05)) if hits else 0.0


@functools.cache
def null_loops(shape: Callable[[], list[int]], loops: int = 1000) -> list[list[str]]:
    return [labels(World(shape(), seed), lambda _: 0.0) for seed in range(loops)]


@SHAPES
def test_at_most_one_null_loop_in_twenty_sees_an_improvement(shape):
    found = null_loops(shape)
    false = sum("improved" in loop for loop in found)
    assert at_least(false, len(found)) <= 0.05, f"{false} of {len(found)} null loops"


@SHAPES
def test_null_loops_are_not_silenced(shape):
    """A rule that never speaks would pass the test above; this one has to err sometimes."""
    found = null_loops(shape)
    assert sum("improved" in loop for loop in found) >= 5
    assert sum("regressed" in loop for loop in found) >= 5


@SHAPES
def test_a_gain_of_the_announced_size_is_found(shape):
    loops, hits = 200, 0
    for seed in range(loops):
        world = World(shape(), 10_000 + seed)
        baseline = world.measured()
        groups = world.groups
        foreseen, _ = foresight.foresee(ENTRY, "given", baseline, groups, alpha=ALPHA, draws=DRAWS)
        world = World(shape(), 10_000 + seed)  # the same baseline again
        hits += labels(world, lambda _, gain=foreseen: gain)[0] == "improved"
    assert hits >= 0.9 * loops, f"{hits} of {loops}"


@SHAPES
def test_the_detectable_difference_of_a_verdict_is_found_four_times_in_five(shape):
    """The verdict's own figure, from the true standard error: a gain planted at it."""
    loops, hits, figures = 400, 0, []
    for seed in range(50):
        world = World(shape(), 20_000 + seed)
        old, new = world.measured(), world.measured()
        verdict = verdicts.judge(ENTRY, "given", new, old, world.groups, alpha=ALPHA, draws=DRAWS)
        figures.append(verdict.detectable)
    gain = float(np.mean(figures))
    for seed in range(loops):
        world = World(shape(), 30_000 + seed)
        old, new = world.measured(), world.measured(gain)
        verdict = verdicts.judge(ENTRY, "given", new, old, world.groups, alpha=ALPHA, draws=DRAWS)
        hits += verdict.label == "improved"
    assert 0.72 <= hits / loops <= 0.88, f"{hits} of {loops}"
