"""Slices against the rest: two-sample comparisons, clustered by group, many at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.stats.groups import ROUNDING, Floats, Groups, Ints, encode

Mask = npt.NDArray[np.bool_]

_CELLS = 1 << 22  # slices x rows (or groups) looked at together: 32 MiB an array


@dataclass(frozen=True, slots=True)
class Contrast:
    """A slice against the rest.

    Attributes:
        gap: mean of the rest minus mean of the slice.
        se, low, high: standard error and two-sided interval; None with fewer than two
            groups on either side.
        p: one-sided, small where the slice's mean is lower; 1 where it cannot be had.
        df: degrees of freedom of the t distribution used; 0 where it cannot be had.
    """

    gap: float
    se: float | None
    low: float | None
    high: float | None
    p: float
    groups_inside: int
    n_inside: int
    df: float


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Many slices, each against its rest; every attribute is an array ``(c,)``.

    Attributes:
        gap: mean of the rest minus mean of the slice; NaN where one side has no rows.
        se, low, high: NaN with fewer than two groups on either side.
        p: one-sided, small where the slice's mean is lower; 1 where it cannot be had.
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


def contrast(values: Floats, inside: Mask, groups: Groups, level: float = 0.95) -> Contrast:
    """The mean of the rest minus the mean of the slice, clustered by group.

    The same as :func:`contrasts` for one slice.

    Args:
        values: ``(n,)`` finite; lower = the slice is weaker, so negate a loss.
        inside: ``(n,)``, True for rows of the slice.

    Raises:
        ValueError: one side is empty, or a value is not finite.
    """
    n_in = int(np.count_nonzero(inside))
    if not n_in or n_in == len(values):
        raise ValueError("a contrast needs rows inside and outside of the slice")
    found = contrasts(values, inside[None, :], groups, level)

    def known(column: Floats) -> float | None:
        return None if np.isnan(column[0]) else float(column[0])

    return Contrast(
        gap=float(found.gap[0]),
        se=known(found.se),
        low=known(found.low),
        high=known(found.high),
        p=float(found.p[0]),
        groups_inside=int(found.groups_inside[0]),
        n_inside=n_in,
        df=float(found.df[0]),
    )


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
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    sums = np.bincount(codes, centred, count)
    parts = [
        _moments(*_inside_sums(block, centred, codes, count), sizes, sums)
        for block in _blocks(inside, count)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _MOMENTS}
    noise = ROUNDING * float(np.abs(values).max(initial=0.0))
    return _tested(columns, noise, level)


def halves(names: Sequence[str], seed: int) -> Mask:
    """Which rows ``(n,)`` belong to the first of two halves; whole groups stay together.

    It depends on the seed, the groups' names and their sizes, not on the order of rows. Groups
    of like size are paired, and a hash of seed and name decides which of a pair goes where: both
    halves get as many groups (or one more), and their rows differ by no more than the largest
    group has.

    Args:
        names: ``(n,)`` the group of each row.
    """
    codes, count = encode(names)
    sizes = np.bincount(codes, minlength=count).tolist()
    lots = [
        hashlib.blake2b(f"{seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for name in sorted(set(names))
    ]
    order = sorted(range(count), key=lambda code: (-sizes[code], lots[code]))
    first = np.zeros(count, dtype=np.bool_)
    for place in range(0, count, 2):
        pair = order[place : place + 2]
        chosen = pair[lots[pair[0]][-1] % 2] if len(pair) == 2 else pair[0]
        first[chosen] = True
    chosen_rows: Mask = first[codes]
    return chosen_rows


_MOMENTS = ("n_in", "n_out", "k_in", "k_out", "gap", "squares", "scale", "df")


def _blocks(inside: Mask, count: int) -> Iterator[Mask]:
    """Slices in blocks, so that neither rows nor groups times slices fill the memory."""
    size = max(1, _CELLS // max(1, inside.shape[1], count))
    for start in range(0, max(1, len(inside)), size):
        yield inside[start : start + size]


def _inside_sums(block: Mask, values: Floats, codes: Ints, count: int) -> tuple[Floats, Floats]:
    """Rows and sums ``(b, K)`` of each slice in each group."""
    rows, sums = np.empty((len(block), count)), np.empty((len(block), count))
    for place, inside in enumerate(block):
        chosen = np.flatnonzero(inside)
        own = codes[chosen]
        rows[place] = np.bincount(own, minlength=count)
        sums[place] = np.bincount(own, values[chosen], count)
    return rows, sums


@np.errstate(all="ignore")  # what cannot be had is NaN here, and is told apart by its groups
def _moments(
    rows_in: Floats, sums_in: Floats, sizes: Floats, sums: Floats
) -> dict[str, npt.NDArray[Any]]:
    """Gap, sum of squared pulls, its shortfall and its degrees of freedom, each ``(b,)``."""
    rows_out = sizes - rows_in
    sums_out = np.where(rows_out > 0, sums - sums_in, 0.0)
    n_in, n_out = rows_in.sum(axis=1), rows_out.sum(axis=1)
    mean_in, mean_out = sums_in.sum(axis=1) / n_in, sums_out.sum(axis=1) / n_out
    pull = (sums_out - mean_out[:, None] * rows_out) / n_out[:, None]
    pull -= (sums_in - mean_in[:, None] * rows_in) / n_in[:, None]
    scale, df = _bell_mccaffrey(rows_in / n_in[:, None], rows_out / n_out[:, None], n_in, n_out)
    return {
        "n_in": n_in.astype(np.intp),
        "n_out": n_out.astype(np.intp),
        "k_in": np.count_nonzero(rows_in, axis=1),
        "k_out": np.count_nonzero(rows_out, axis=1),
        "gap": mean_out - mean_in,
        "squares": _dot(pull, pull),
        "scale": scale,
        "df": df,
    }


@np.errstate(all="ignore")
def _tested(found: dict[str, npt.NDArray[Any]], noise: float, level: float) -> Contrasts:
    from scipy import special

    judged = np.minimum(found["k_in"], found["k_out"]) >= 2
    gap, se = found["gap"], np.sqrt(found["scale"] * found["squares"])
    gap, se = (np.where(np.abs(x) <= noise, 0.0, x) for x in (gap, se))
    df = np.where(judged, found["df"], 0.0)
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
        n_inside=found["n_in"],
        groups_inside=found["k_in"],
        n_outside=found["n_out"],
        groups_outside=found["k_out"],
    )


def _bell_mccaffrey(
    share_in: Floats, share_out: Floats, n_in: Floats, n_out: Floats
) -> tuple[Floats, Floats]:
    """What the sum of squared pulls is short by, and its degrees of freedom, each ``(b,)``.

    With a the weights of the rows in the gap and H the projection on the two means, the sum of
    squares is y'GG'y with G'G = diag(a_g'a_g) - pp'/n_in - qq'/n_out, where p and q are each
    group's shares of the two sides. Its expectation is tr(G'G) per unit of row variance
    (against a'a = 1/n_in + 1/n_out), its degrees tr(G'G)^2 / tr((G'G)^2).
    """
    own = share_in / n_in[:, None] + share_out / n_out[:, None]
    p2, q2 = _dot(share_in, share_in), _dot(share_out, share_out)
    pq = _dot(share_in, share_out)
    trace = (1 - p2) / n_in + (1 - q2) / n_out
    square = _dot(own, own) - 2 * _dot(own, share_in**2) / n_in
    square -= 2 * _dot(own, share_out**2) / n_out
    square += (p2 / n_in) ** 2 + (q2 / n_out) ** 2 + 2 * pq**2 / (n_in * n_out)
    return (1 / n_in + 1 / n_out) / trace, trace**2 / square


def _dot(left: Floats, right: Floats) -> Floats:
    """Row by row: ``(b, K)``, ``(b, K)`` -> ``(b,)``."""
    product: Floats = np.einsum("bk,bk->b", left, right)
    return product
