"""Which of many slices is weaker than the weakest that chance makes: weighted max-T."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.groups import Floats

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness_slices.exchange import Exchange, Limit

    Mask = npt.NDArray[np.bool_]

_TIED = 1e-9
_STRAIGHT = 1e-3  # less skew is none


@dataclass(frozen=True)
class Tested:
    """c slices tested together; the arrays are ``(c,)``.

    Attributes:
        p: one-sided, of each alone; 1 where it cannot be computed.
        adjusted: family-wise: the share of draws in which any slice is as weak, for its weight.
        needed: the gap from which on ``adjusted`` is at most alpha; infinite where none is.
        spread: standard deviation of the gap by chance.
        gap: rest minus slice, after the found slices were fitted; NaN where these explain the
            slice. Without found slices it is the difference of the two means.
    """

    p: Floats
    adjusted: Floats
    needed: Floats
    spread: Floats
    gap: Floats


def compared(
    values: Floats, inside: Mask, fitted: Mask, chance: Exchange | Limit, weights: Floats,
    alpha: float,
) -> Tested:  # fmt: skip
    """Test all slices ``inside (c, n)`` beside those ``found (f, n)``, which are fitted first.

    What a slice takes from the values that the found ones leave is compared with what it takes
    after these have changed places (Freedman and Lane, *A nonstochastic interpretation of
    reported significance levels*, 1983). In a draw, the smallest p / weight of all slices is
    taken; the adjusted p of a slice is the share of draws, the data counted as one of them, in
    which that is as small as its own p / weight (Westfall and Young, *Resampling-Based Multiple
    Testing*, 1993, single-step minP; weights as in Genovese, Roeder and Wasserman, *False
    discovery control with p-value weighting*, Biometrika 2006). The p of sums that are skewed,
    as passes and fails are, come from a gamma law by the cube root of Wilson and Hilferty (1931);
    a poor fit costs power, never the level, since draws and data go through the same law.
    """
    rest = _beside(np.vstack([values, -inside.astype(np.float64)]), fitted)
    left, pulls = rest[0], rest[1:]
    size = np.einsum("cn,cn->c", pulls, pulls)
    with np.errstate(all="ignore"):
        gap = np.where(size > 0, pulls @ left / size, np.nan)
    moved = chance.moved(left, pulls)
    known = moved.spread > 0
    if not known.any():
        nothing = np.full(len(inside), np.inf)
        return Tested(np.ones(len(inside)), np.ones(len(inside)), nothing, 0 * size, gap)
    p = np.where(known, _p(moved.z, moved.skew), 1.0)
    drawn = _p(moved.drawn[:, known], moved.skew[known] if moved.exact else 0.0)
    least = np.sort((drawn / weights[known]).min(axis=1))
    as_small = np.searchsorted(least, p / weights * (1 + _TIED), side="right")
    level = least[max(0, int(np.floor(alpha * (len(least) + 1))) - 2)] * weights
    needed = np.where(known, _z(level, moved.skew), np.inf)
    with np.errstate(all="ignore"):
        spread = np.where(known, moved.spread / size, np.inf)
        return Tested(
            p=p,
            adjusted=np.where(known, (1 + as_small) / (len(least) + 1), 1.0),
            needed=np.where(known, needed * spread, np.inf),
            spread=np.where(known, spread, np.nan),
            gap=gap,
        )


def _beside(rows: Floats, fitted: Mask) -> Floats:
    """Rows ``(r, n)`` without what a constant and the found slices explain of them."""
    design = np.vstack([np.ones(rows.shape[1]), fitted]).T
    sides, sizes, _ = np.linalg.svd(design, full_matrices=False)
    sides = sides[:, sizes > 1e-9 * sizes[0]]
    left: Floats = rows - (rows @ sides) @ sides.T
    noise = 1e-9 * np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    left[np.abs(left).max(axis=1) <= noise[:, 0]] = 0.0
    return left


def _p(z: Floats, skew: Floats | float) -> Floats:
    from scipy import special

    bent = np.where(np.abs(skew) < _STRAIGHT, _STRAIGHT, skew)
    p: Floats = special.ndtr(-(6 / bent * (np.cbrt(1 + bent * z / 2) - 1) + bent / 6))
    return p


def _z(p: Floats, skew: Floats) -> Floats:
    """The z of which :func:`_p` is p."""
    from scipy import special

    bent = np.where(np.abs(skew) < _STRAIGHT, _STRAIGHT, skew)
    straight = -special.ndtri(np.minimum(p, 0.5))
    return np.asarray(2 / bent * ((1 + bent / 6 * (straight - bent / 6)) ** 3 - 1))
