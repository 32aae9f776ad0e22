"""Slices against the rest: two-sample comparisons, clustered by group, many at once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.stats.groups import ROUNDING, Floats, Groups, Ints, encode

Mask = npt.NDArray[np.bool_]

_CELLS = 1 << 16  # slices x rows (or groups) looked at together: arrays stay in cache
_FEW = 20_000  # groups: with more it pays to look only at those that a slice touches
_LOST = 1e-13  # of a sum: what is left by subtraction and is less is nothing but rounding
_Numbers = npt.NDArray[Any]
_Moments = dict[str, _Numbers]


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Many slices, each against its rest; every attribute is an array ``(c,)``.

    Attributes:
        gap: mean of the rest minus mean of the slice; NaN where one side has no rows.
        se, low, high: NaN with fewer than two groups on either side.
        p: one-sided, small where the slice's mean is lower; 1 where it cannot be computed.
        df: degrees of freedom; 0 where there are none.
        n_inside, groups_inside: rows and groups of the slice.
        n_outside, groups_outside: those of the rest; a group may count on both sides.
    """

    gap: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    df: Floats
    n_inside: Ints
    groups_inside: Ints
    n_outside: Ints
    groups_outside: Ints

    def chosen(self, which: Mask) -> Contrasts:
        """Those slices of which ``which (c,)`` is True."""
        columns = {f.name: getattr(self, f.name)[which] for f in dataclasses.fields(self)}
        return Contrasts(**columns)


def contrasts(values: Floats, inside: Mask, groups: Groups, level: float = 0.95) -> Contrasts:
    """Each of c slices against all other rows, clustered by group.

    Each row's influence on the gap is summed within its group, whichever side the row is on,
    so groups may lie across the border. Variance and degrees of freedom are those of Bell and
    McCaffrey (*Bias reduction in standard errors for linear regression with multi-stage
    samples*, 2002) for rows that are independent otherwise; a slice of few groups therefore
    gets few degrees of freedom, however large the rest is.

    Time grows with the number of rows inside of slices and with c times the number of groups.

    Args:
        values: ``(n,)`` finite; lower = the slice is weaker, so negate a loss.
        inside: ``(c, n)``, True for rows of the slice.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.all(np.isfinite(values)):
        raise ValueError("a contrast needs finite values: leave rows out that are not scored")
    codes, count = encode(groups)
    # Sums of centred values lose no digits where those of the rest come by subtraction.
    centred = values - values.mean() if len(values) else values
    whole = _Groups.of(codes, centred, count)
    look = _sparse if count > _FEW and len(inside) else _dense
    parts = [look(block, codes, centred, whole) for block in _blocks(inside, count)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _MOMENTS}
    noise = ROUNDING * float(np.abs(values).max(initial=0.0))
    return _tested(columns, noise, level)


@dataclass(frozen=True)
class _Groups:
    """Rows and centred sums of some groups, each ``(K,)``."""

    sizes: Floats
    sums: Floats

    @classmethod
    def of(cls, codes: Ints, values: Floats, count: int) -> _Groups:
        sums = np.bincount(codes, values, count).astype(np.float64, copy=False)
        return cls(np.bincount(codes, minlength=count).astype(np.float64), sums)

    @functools.cached_property
    def powers(self) -> Floats:
        """Sums over the groups: of 1, R, S, R^2, R^3, RS and S^2 for R rows and a sum of S."""
        r, s = self.sizes, self.sums
        return np.array([len(r), r.sum(), s.sum(), r @ r, (r * r) @ r, r @ s, s @ s])


_MOMENTS = ("n_in", "n_out", "k_in", "k_out", "gap", "squares", "scale", "df")


def _blocks(inside: Mask, count: int) -> Iterator[Mask]:
    """Slices in blocks, so that neither rows nor groups times slices fill the memory."""
    size = max(1, _CELLS // max(1, inside.shape[1], count))
    for start in range(0, max(1, len(inside)), size):
        yield inside[start : start + size]


def _dense(block: Mask, codes: Ints, values: Floats, whole: _Groups) -> _Moments:
    """Moments of a block of slices from all groups, ``(b, K)`` at a time."""
    count = len(whole.sizes)
    slice_, row = np.nonzero(block)
    cells, shape = slice_ * count + codes[row], (len(block), count)
    rows = np.bincount(cells, minlength=len(block) * count).reshape(shape)
    sums = np.bincount(cells, values[row], len(block) * count).reshape(shape)
    return _moments(rows, sums, whole, np.zeros(7))


def _sparse(block: Mask, codes: Ints, values: Floats, whole: _Groups) -> _Moments:
    """The same, from the groups that a slice touches; of the others only powers are needed."""
    parts, powers = [], whole.powers
    for inside in block:
        chosen = np.flatnonzero(inside)
        own = codes[chosen]
        rows = np.bincount(own, minlength=len(whole.sizes))
        touched = np.flatnonzero(rows)
        sums = np.bincount(own, values[chosen], len(rows))[None, touched]
        near = _Groups(whole.sizes[touched], whole.sums[touched])
        rest = powers - near.powers
        rest[np.abs(rest) <= _LOST * np.abs(powers)] = 0.0
        parts.append(_moments(rows[None, touched], sums, near, rest))
    return {name: np.concatenate([part[name] for part in parts]) for name in _MOMENTS}


@np.errstate(all="ignore")  # what cannot be computed is NaN here, and is told apart by its groups
def _moments(rows_in: _Numbers, sums_in: _Numbers, groups: _Groups, left: Floats) -> _Moments:
    """Gap, sum of squared pulls, its shortfall and its degrees of freedom, each ``(b,)``.

    Args:
        rows_in, sums_in: ``(b, K)`` of the slices in some groups.
        groups: all rows of these groups.
        left: powers of the groups besides, which no slice of the block touches.
    """
    rows_out = groups.sizes - rows_in
    sums_out = np.where(rows_out > 0, groups.sums - sums_in, 0.0)
    count, rows, sums, r2, r3, rs, s2 = left
    n_in, n_out = rows_in.sum(axis=1), rows_out.sum(axis=1) + rows
    mean_in, mean_out = sums_in.sum(axis=1) / n_in, (sums_out.sum(axis=1) + sums) / n_out
    pull = (sums_out - mean_out[:, None] * rows_out) / n_out[:, None]
    pull -= (sums_in - mean_in[:, None] * rows_in) / n_in[:, None]
    beyond = np.maximum(0.0, s2 - 2 * mean_out * rs + mean_out**2 * r2) / n_out**2
    scale, df = _bell_mccaffrey(
        rows_in / n_in[:, None], rows_out / n_out[:, None], n_in, n_out, (r2, r3)
    )
    return {
        "n_in": n_in.astype(np.intp),
        "n_out": n_out.astype(np.intp),
        "k_in": np.count_nonzero(rows_in, axis=1),
        "k_out": np.count_nonzero(rows_out, axis=1) + int(count),
        "gap": mean_out - mean_in,
        "squares": _dot(pull, pull) + beyond,
        "scale": scale,
        "df": df,
    }


@np.errstate(all="ignore")
def _tested(moments: _Moments, noise: float, level: float) -> Contrasts:
    from scipy import special

    judged = np.minimum(moments["k_in"], moments["k_out"]) >= 2
    gap, se = moments["gap"], np.sqrt(moments["scale"] * moments["squares"])
    gap, se = (np.where(np.abs(x) <= noise, 0.0, x) for x in (gap, se))
    df = np.where(judged, moments["df"], 0.0)
    se = np.where(judged, se, np.nan)
    p = np.where(se > 0, special.stdtr(df, -gap / se), np.where(gap > 0, 0.0, 1.0))
    reach = special.stdtrit(df, (1 + level) / 2) * se
    return Contrasts(
        gap=gap,
        se=se,
        low=gap - reach,
        high=gap + reach,
        p=np.where(judged, p, 1.0),
        df=df,
        n_inside=moments["n_in"],
        groups_inside=moments["k_in"],
        n_outside=moments["n_out"],
        groups_outside=moments["k_out"],
    )


def _bell_mccaffrey(
    share_in: Floats,
    share_out: Floats,
    n_in: Floats,
    n_out: Floats,
    left: tuple[float, float],
) -> tuple[Floats, Floats]:
    """What the sum of squared pulls is short by, and its degrees of freedom, each ``(b,)``.

    With a the weights of the rows in the gap and H the projection on the two means, the sum of
    squares is y'GG'y with G'G = diag(a_g'a_g) - pp'/n_in - qq'/n_out, where p and q are each
    group's shares of the two sides. Its expectation is tr(G'G) per unit of row variance
    (against a'a = 1/n_in + 1/n_out), its degrees tr(G'G)^2 / tr((G'G)^2).

    Args:
        left: sums of R^2 and R^3 over groups of R rows that lie outside as a whole and have no
            column in ``share_out``.
    """
    r2, r3 = left
    own = share_in / n_in[:, None] + share_out / n_out[:, None]
    p2, q2 = _dot(share_in, share_in), _dot(share_out, share_out) + r2 / n_out**2
    pq = _dot(share_in, share_out)
    trace = (1 - p2) / n_in + (1 - q2) / n_out
    square = _dot(own, own) + r2 / n_out**4 - 2 * _dot(own, share_in**2) / n_in
    square -= 2 * (_dot(own, share_out**2) + r3 / n_out**4) / n_out
    square += (p2 / n_in) ** 2 + (q2 / n_out) ** 2 + 2 * pq**2 / (n_in * n_out)
    return (1 / n_in + 1 / n_out) / trace, trace**2 / square


def _dot(left: Floats, right: Floats) -> Floats:
    """Row by row: ``(b, K)``, ``(b, K)`` -> ``(b,)``."""
    product: Floats = np.einsum("bk,bk->b", left, right)
    return product
