"""What the rows at hand can show, and how many more would show what they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_slices.contrasts import Contrasts
    from harness_slices.finder import Judgement

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

POWER = 0.8
_STEPS = 60


@dataclass(frozen=True)
class Open:
    """A slice that looks weak without being so for sure, and the rows that would tell.

    Attributes:
        words: its conditions.
        gap: as it is now.
        rows: of all of dev, that find a true gap of this size at 80 % power.
    """

    words: str
    gap: float
    rows: int


@dataclass(frozen=True)
class Prospects:
    """What is found at 80 % power.

    Attributes:
        share: of the rows, that the median single condition has.
        gap: the least true gap that is found in one; None where even the largest is not.
        open: of single conditions that are not weak for sure the one with the most evidence.
    """

    share: float
    gap: float | None
    open: Open | None


def prospects(
    values: Floats, words: Sequence[str], asked: Mask, seen: Contrasts, verdict: Judgement
) -> Prospects | None:
    """Prospects of the candidates ``asked (c,)``; None where there are none.

    A gap is found if the observed one reaches what the test asks for (:attr:`Judgement.needed`),
    which a normal law with the gap's own standard error decides. The gap itself adds to the
    spread that the test sees; and where scores are passes and fails, it decides the spread
    within the slice as well.
    """
    import numpy as np

    places = np.flatnonzero(asked & np.isfinite(verdict.needed))
    if not len(places):
        return None
    passes = bool(np.isin(values, (values.min(), values.max())).all())
    size = int(np.sort(seen.n_inside[places])[(len(places) - 1) // 2])
    alike = places[seen.n_inside[places] == size]
    needed = float(np.median(verdict.needed[alike]))
    model = _Model(values, size, needed, float(np.median(verdict.chance[alike])), passes)
    unsure = places[~verdict.holds[places] & (seen.gap[places] > 0)]
    if not len(unsure):
        return Prospects(size / len(values), model.found(), None)
    best = int(unsure[np.lexsort((verdict.p[unsure], verdict.adjusted[unsure]))[0]])
    gap, own = float(seen.gap[best]), int(seen.n_inside[best])
    model_of_best = _Model(
        values, own, float(verdict.needed[best]), float(verdict.chance[best]), passes
    )
    rows = len(values) * max(1.0, model_of_best.asked(gap) / gap) ** 2
    return Prospects(size / len(values), model.found(), Open(words[best], gap, ceil(rows)))


@dataclass(frozen=True)
class _Model:
    """A slice of ``size`` rows, of which the test asks a gap of ``needed``, and chance makes one
    with the standard deviation ``chance``; all others score alike."""

    values: Floats
    size: int
    needed: float
    chance: float
    passes: bool

    def asked(self, gap: float) -> float:
        """The observed gap that is reached at 80 % power by a true one that is asked for."""
        from scipy import special

        n, m = len(self.values), self.size
        variance, share = float(self.values.var()), m / n
        without_gap = variance * (1 / m + 1 / (n - m))  # variance of the gap where there is none
        if self.passes:
            # Bernoulli variances of two rates: the rest passes as all rows do, the slice less.
            low, width = float(self.values.min()), _range(self.values)
            rest = (float(self.values.mean()) - low) / width
            weak = max(0.0, rest - gap / width)
            mean = rest - share * (rest - weak)
            with_gap = (weak * (1 - weak) / m + rest * (1 - rest) / (n - m)) * width**2
            whole = mean * (1 - mean) * width**2
        else:
            # The variance of all rows is that within the two sides and that between them.
            with_gap, whole = without_gap, variance + share * (1 - share) * gap**2
        # The test takes its spread from all rows, the gap among them: what it asks for grows with
        # that. On top comes what chance may take off the observed gap in one of five data sets.
        asked = self.needed * float(whole / variance) ** 0.5
        chance = self.chance * float(with_gap / without_gap) ** 0.5
        return float(asked + float(special.ndtri(POWER)) * chance)

    def found(self) -> float | None:
        """The least gap that is as large as it is asked to be; None where there is none."""
        low, high = 0.0, _range(self.values)
        if self.passes:
            high = float(self.values.mean() - self.values.min())
        if self.asked(high) > high:
            return None
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.asked(middle) > middle else (low, middle)
        return high


def _range(values: Floats) -> float:
    return float(values.max() - values.min())
