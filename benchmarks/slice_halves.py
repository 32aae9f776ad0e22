"""The rule of earlier versions, for comparison: one half of the groups chooses, one confirms."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from slice_worlds import Draw

from harness.stats import benjamini_hochberg
from harness_slices.contrasts import contrasts
from harness_slices.finder import jaccard, supported, weak_without

Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

LEVEL = 0.1
SUPPORT = 8
ALIKE = 0.5


def halves(names: list[str], sizes: Ints, seed: int) -> Mask:
    """Which of K groups choose: of each two of like size the one that a hash says."""
    lots = np.array([_lot(f"{seed}/{name}") for name in names], dtype=np.uint64)
    order = np.lexsort((lots, -sizes))
    first = np.zeros(len(names), dtype=np.bool_)
    paired = order[: len(order) // 2 * 2].reshape(-1, 2)
    first[np.where(lots[paired[:, 0]] % 2 == 0, paired[:, 0], paired[:, 1])] = True
    first[order[-1]] |= len(order) % 2 == 1
    return first


def found_by_halves(draw: Draw, seed: int) -> list[str]:
    """Words of the slices that the first half finds and the second confirms.

    Benjamini and Hochberg at ``LEVEL`` on the first half, within single conditions and within
    pairs; what stronger ones explain is left out; Benjamini and Hochberg again on the second.
    """
    family = [*draw.single, *draw.double]
    inside = np.array([c.inside for c in family])
    names = sorted(set(draw.groups))
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place[name] for name in draw.groups])
    first = halves(names, np.bincount(codes), seed)[codes]
    sides = [np.flatnonzero(first), np.flatnonzero(~first)]
    a, b = (contrasts(draw.scores[s], inside[:, s], codes[s]) for s in sides)
    large = np.flatnonzero(supported(a, SUPPORT, SUPPORT) & supported(b, SUPPORT, SUPPORT))
    values, masks = draw.scores[first], inside[large][:, first]
    parents = _parents([family[i].conditions for i in large])
    p, gap, paired = a.p[large], a.gap[large], parents.max(axis=1, initial=-1) >= 0
    q = np.ones(len(large))
    q[~paired] = benjamini_hochberg(p[~paired])
    weak = (q <= LEVEL) & (gap > 0)
    parts = np.array(
        [
            any(i >= 0 and weak[i] and weak_without(values, masks[i], masks[place]) for i in both)
            for place, both in enumerate(parents.tolist())
        ],
        dtype=np.bool_,
    )
    other = paired & ~parts
    q[other] = benjamini_hochberg(p[other])
    kept: list[int] = []
    covered = np.zeros(len(values), dtype=np.bool_)
    for i in sorted(np.flatnonzero((q <= LEVEL) & (gap > 0)).tolist(), key=lambda i: (p[i], i)):
        alike = any(jaccard(masks[i], masks[k]) >= ALIKE for k in kept)
        if not alike and weak_without(values, masks[i], covered):
            kept.append(i)
            covered |= masks[i]
    confirmed = benjamini_hochberg(b.p[large][kept])
    return [
        family[large[i]].words
        for i, level in zip(kept, confirmed, strict=True)
        if level <= LEVEL and b.gap[large][i] > 0
    ]


def _parents(conditions: list[tuple[object, ...]]) -> Ints:
    place = {own: code for code, own in enumerate(conditions)}
    found = np.full((len(conditions), 2), -1, dtype=np.intp)
    for code, own in enumerate(conditions):
        if len(own) == 2:
            found[code] = [place.get((one,), -1) for one in own]
    return found


def _lot(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
