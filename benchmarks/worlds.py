"""Worlds of known truth: scores of null loops, and of rounds with a gain, for ``verdicts.py``."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


Draw = Callable[[np.random.Generator, npt.NDArray[np.intp]], Floats]


def sizes(shape: str, groups: int) -> list[int]:
    """``single`` rows, ``equal`` groups of 4, or ``uneven`` ones: Zipf's law, 10 % at most."""
    if shape == "single":
        return [1] * groups
    if shape == "equal":
        return [4] * groups
    law = 1 / np.arange(1, groups + 1)
    counts = np.maximum(1, np.round(4 * groups * law / law.sum())).astype(int)
    while counts.max() > 0.1 * counts.sum():
        counts[counts > 0.1 * counts.sum()] -= 1
    return counts.tolist()


def lopsided(loss_share: float) -> Draw:
    def draw(rng: np.random.Generator, codes: npt.NDArray[np.intp]) -> Floats:
        """Changes of one round."""
        lost = rng.random(len(codes)) < loss_share
        gain = 0.6 * loss_share / (1 - loss_share)
        return np.where(lost, -0.6, gain) + rng.normal(0, 0.02, len(codes))

    return draw


def rouge(rng: np.random.Generator, codes: npt.NDArray[np.intp]) -> Floats:
    """A third of the rows at 0, the others spread, groups a little apart."""
    zero = rng.random(len(codes)) < 0.35
    apart = rng.normal(0, 0.03, codes.max() + 1)[codes]
    return np.where(zero, 0.0, rng.beta(2, 4, len(codes)) + apart)


def passes(rate: float) -> Draw:
    def draw(rng: np.random.Generator, codes: npt.NDArray[np.intp]) -> Floats:
        level = rng.normal(0, 0.5, codes.max() + 1)[codes]
        cut = special.ndtri(rate) * math.sqrt(1.25)
        return (level + rng.normal(0, 1, len(codes)) < cut).astype(float)

    return draw


def heavy(rng: np.random.Generator, codes: npt.NDArray[np.intp]) -> Floats:
    return rng.standard_t(2, len(codes)) + rng.normal(0, 0.3, codes.max() + 1)[codes]


def normal(rng: np.random.Generator, codes: npt.NDArray[np.intp]) -> Floats:
    return rng.normal(0.4, 0.2, len(codes)) + rng.normal(0, 0.1, codes.max() + 1)[codes]


ORDINARY: dict[str, Draw] = {
    "normal": normal, "rouge-like": rouge, "t with 2 df": heavy,
    "pass/fail .02": passes(0.02), "pass/fail .1": passes(0.1), "pass/fail .5": passes(0.5),
}  # fmt: skip


def linked(
    rng: np.random.Generator, codes: npt.NDArray[np.intp], correlation: float
) -> tuple[Floats, Floats]:
    """Two standard normal scores of each row that correlate; a quarter of it lies in groups."""
    count = codes.max() + 1

    def one(size: float) -> Floats:
        spread = rng.normal(0, math.sqrt(0.25 * size), count)[codes]
        return spread + rng.normal(0, math.sqrt(0.75 * size), len(codes))

    shared = one(correlation)
    return shared + one(1 - correlation), shared + one(1 - correlation)


Pair = Callable[
    [np.random.Generator, npt.NDArray[np.intp]], tuple[Floats, Callable[[float], Floats]]
]


def graded(before: float, after: float, correlation: float) -> Pair:
    """Normal scores of sd ``before`` and ``after``."""

    def draw(
        rng: np.random.Generator, codes: npt.NDArray[np.intp]
    ) -> tuple[Floats, Callable[[float], Floats]]:  # fmt: skip
        old, new = linked(rng, codes, correlation)
        return 0.3 + before * old, lambda gain: 0.3 + gain + after * new

    return draw


def skewed(
    rng: np.random.Generator, codes: npt.NDArray[np.intp]
) -> tuple[Floats, Callable[[float], Floats]]:
    """As rouge-L of docstrings: low and close together before, spread and skewed after.

    Differences vary 2.1 times as much as the scores before, as they did there.
    """
    old, new = linked(rng, codes, 0.2)
    before = special.betaincinv(2.2, 12, special.ndtr(old))
    after = special.betaincinv(1.4, 3.3, special.ndtr(new))
    return before, lambda gain: 2.2 / 14.2 + gain + after - 1.4 / 4.7


def drifting(
    rng: np.random.Generator, codes: npt.NDArray[np.intp]
) -> tuple[Floats, Callable[[float], Floats]]:  # fmt: skip
    """Normal scores of sd .1 before, and skewed ones of sd .25 after, correlation .3."""
    old, new = linked(rng, codes, 0.3)
    after = 0.25 * (special.gammaincinv(4, special.ndtr(new)) - 4) / 2
    return 0.3 + 0.1 * old, lambda gain: 0.3 + gain + after


def right_or_wrong(rate: float, correlation: float, in_groups: float = 0.0) -> Pair:
    """Rows that pass where a latent normal lies below a cut.

    Args:
        correlation: of a row's latents before and after.
        in_groups: share of their variance that rows of a group have in common.
    """

    def draw(
        rng: np.random.Generator, codes: npt.NDArray[np.intp]
    ) -> tuple[Floats, Callable[[float], Floats]]:  # fmt: skip
        def latent() -> Floats:
            group = rng.normal(0, math.sqrt(in_groups), codes.max() + 1)[codes]
            return group + rng.normal(0, math.sqrt(1 - in_groups), len(codes))

        shared = latent()
        old, new = (
            math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * latent()
            for _ in range(2)
        )
        before = (old < special.ndtri(rate)).astype(float)
        return before, lambda gain: (new < special.ndtri(min(1, rate + gain))).astype(float)

    return draw


def mostly_ends(rate: float, correlation: float, between: float = 0.1) -> Pair:
    """Scores of that mean that are 0 or 1 but on a share of ``between``, where a part is right.

    A latent normal orders the rows, a quarter of whose variance rows of a group have in common.

    Args:
        correlation: of a row's latents before and after.
    """

    def of(place: Floats, mean: float) -> Floats:
        # From 1 to 0 over the places around the mean, in quarters.
        part = (min(mean, 1 - between / 2) + between / 2 - place) / between
        return np.clip(np.ceil(3 * part) / 4, 0, 1)

    def draw(
        rng: np.random.Generator, codes: npt.NDArray[np.intp]
    ) -> tuple[Floats, Callable[[float], Floats]]:  # fmt: skip
        old, new = linked(rng, codes, correlation)
        before = of(special.ndtr(old), rate)
        return before, lambda gain: of(special.ndtr(new), rate + gain)

    return draw


def taught(rate: float, level: float, spread: float, after: float, in_groups: float) -> Pair:
    """A base model that scores near 0, and a round that has learned the format.

    Before, ``rate`` of the rows pass and the others score around ``level``; after, ``after`` of
    the rows have the right form, and these score by a beta law of that ``spread`` around .8 (1 if
    it is 0). The gain asked for is left out: the later scores are what they are.
    """

    def draw(
        rng: np.random.Generator, codes: npt.NDArray[np.intp]
    ) -> tuple[Floats, Callable[[float], Floats]]:  # fmt: skip
        n = len(codes)
        group = rng.normal(0, math.sqrt(in_groups), codes.max() + 1)[codes]
        own = group + rng.normal(0, math.sqrt(1 - in_groups), n)
        low = np.clip(rng.normal(level, level / 2, n), 0, 1) if level else np.zeros(n)
        before = np.where(rng.random(n) < rate, 1.0, low)
        size = 0.16 / spread**2 - 1 if spread else 0.0
        formed = rng.beta(0.8 * size, 0.2 * size, n) if spread else np.ones(n)
        later = np.where(own < special.ndtri(after), formed, low)
        return before, lambda _: later

    return draw
