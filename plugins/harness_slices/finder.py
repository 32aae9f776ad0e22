"""Which candidates are weak for sure: chosen on one half of the rows, confirmed on the other.

1. *Half A*: each candidate against the rest, one-sided. Benjamini and Hochberg at q, within
   single conditions and within pairs, leave those worth a second look. Pairs take no part if
   one condition is weak, and weak where the other fails, too. A slice that stronger ones
   explain is dropped: one has nearly the same rows, or what it has besides is not half as weak.
2. *Half B*, which had no part in the choice: the same test for what is left, Benjamini and
   Hochberg again. The gap that is reported, and its interval, come from B alone.
3. For planning, the gap on all rows is shrunk with a prior from all candidates, those that
   were not chosen included: that takes off what choosing the largest of many adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_slices.shrink import prior, usable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_slices.contrasts import Contrasts

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Mask = npt.NDArray[np.bool_]

ALIKE = 0.5
"""Jaccard overlap from which two slices count as one."""
LEFT = 0.5
"""A slice is explained by stronger ones if outside of them its gap is less than this share."""


@dataclass(frozen=True)
class Rows:
    """The scores of n rows (more is better), their groups' codes, and which are in half A."""

    values: Floats
    codes: Ints
    first: Mask

    def compared(self, inside: Mask, first: bool) -> Contrasts:
        """Slices ``(c, n)`` against the rest on one half."""
        import numpy as np

        from harness_slices.contrasts import contrasts

        half = np.flatnonzero(self.first == first)
        return contrasts(self.values[half], inside.take(half, axis=1), self.codes[half])


@dataclass(frozen=True)
class Judgement:
    """What became of c candidates; the arrays are ``(c,)``.

    Attributes:
        chosen, holds: weak on half A and explained by no stronger one; weak on B too.
        q: the larger of the two halves' q-values; that of A alone where A did not choose it.
        p: of half A, to order those that were not chosen.
        merged: explained by a stronger one.
        shrunken: posterior mean of the gap, on all rows.
        needed: gap that A would find in a candidate with 80 % power.
        a, b: the halves in full.
        spread: prior variance of the true gaps.
    """

    chosen: Mask
    merged: Mask
    holds: Mask
    p: Floats
    q: Floats
    shrunken: Floats
    needed: Floats
    a: Contrasts
    b: Contrasts
    spread: float


def supported(found: Contrasts, rows: int, groups: int) -> Mask:
    """Which slices have so many rows and groups on either side."""
    import numpy as np

    enough: Mask = np.minimum(found.n_inside, found.n_outside) >= rows
    enough &= np.minimum(found.groups_inside, found.groups_outside) >= groups
    return enough


def judge(
    rows: Rows,
    inside: Mask,
    parents: Ints,
    a: Contrasts,
    b: Contrasts,
    preferred: Mask,
    level: float,
) -> Judgement:
    """Judge candidates that are supported on both halves.

    Args:
        inside: ``(c, n)``.
        parents: ``(c, 2)``: of a pair, the places of its two conditions among the candidates;
            -1 where there is none. Pairs and single conditions are corrected apart on half A.
        a, b: the candidates against the rest, on either half.
        preferred: ``(c,)``: explain others, and are explained only by each other. These are
            the slices that rows can be addressed by.
        level: the false discovery rate on either half.
    """
    import numpy as np

    from harness.stats import benjamini_hochberg

    paired = parents.max(axis=1) >= 0
    q_a = np.ones(len(inside))
    q_a[~paired] = benjamini_hochberg(a.p[~paired])
    weak = (q_a <= level) & (a.gap > 0)
    parts = _parts(rows, inside, parents, weak)
    # Parts of what is weak would be called weak in numbers, and make the others' level lenient.
    other = paired & ~parts
    q_a[other] = benjamini_hochberg(a.p[other])
    screened = np.flatnonzero((q_a <= level) & (a.gap > 0))
    strongest = sorted(screened.tolist(), key=lambda i: (not preferred[i], a.p[i], -a.gap[i], i))
    kept = _unexplained(rows, inside, strongest)
    q = q_a.copy()
    q[kept] = np.maximum(q_a[kept], benjamini_hochberg(b.p[kept]))
    chosen = np.isin(np.arange(len(inside)), kept)
    gaps, ses = _joined(a, b)
    belief = prior(gaps, ses)
    return Judgement(
        chosen=chosen,
        merged=np.isin(np.arange(len(inside)), screened) & ~chosen,
        holds=chosen & (q <= level) & (b.gap > 0),
        p=a.p,
        q=q,
        shrunken=belief.shrink(gaps, ses),
        needed=_needed(a, paired, level),
        a=a,
        b=b,
        spread=belief.variance,
    )


def _parts(rows: Rows, inside: Mask, parents: Ints, weak: Mask) -> Mask:
    """Pairs ``(c,)`` one condition of which is weak, and is so where the other fails, too."""
    import numpy as np

    half = np.flatnonzero(rows.first)
    values = rows.values[half]
    found = np.zeros(len(inside), dtype=np.bool_)
    for place, both in enumerate(parents):
        found[place] = any(
            _weak_without(values, inside[parent].take(half), inside[place].take(half))
            for parent in both.tolist()
            if parent >= 0 and weak[parent]
        )
    return found


def _unexplained(rows: Rows, inside: Mask, strongest: Sequence[int]) -> list[int]:
    """Those of the candidates, the strongest first, that no stronger ones explain on half A."""
    import numpy as np

    half = np.flatnonzero(rows.first)
    values = rows.values[half]
    own = {place: inside[place].take(half) for place in strongest}
    kept: list[int] = []
    covered = np.zeros(len(half), dtype=np.bool_)
    for place in strongest:
        alike = any(_jaccard(own[place], own[other]) >= ALIKE for other in kept)
        if not alike and _weak_without(values, own[place], covered):
            kept.append(place)
            covered |= own[place]
    return kept


def _weak_without(values: Floats, own: Mask, taken: Mask) -> bool:
    """Whether a slice without some rows keeps ``LEFT`` of its gap, the rest without them too."""
    more, rest = own & ~taken, ~own & ~taken
    if not more.any() or not rest.any():
        return False
    gap = values[~own].mean() - values[own].mean()
    return bool(values[rest].mean() - values[more].mean() >= LEFT * gap)


def _jaccard(one: Mask, other: Mask) -> float:
    import numpy as np

    union = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other)) / union if union else 0.0


def _joined(a: Contrasts, b: Contrasts) -> tuple[Floats, Floats]:
    """Gaps and standard errors of both halves together, each weighed by its precision.

    A half whose scores are all alike has a standard error of 0 and decides; so do both.
    """
    import numpy as np

    with np.errstate(all="ignore"):
        of_a, of_b = (usable(half.gap, half.se, half.df) ** -2.0 for half in (a, b))
        ses = (of_a + of_b) ** -0.5
        certain = np.isinf(of_a + of_b)
        of_a, of_b = (np.where(certain, np.isinf(half), half) for half in (of_a, of_b))
        return (of_a * a.gap + of_b * b.gap) / (of_a + of_b), ses


def _needed(a: Contrasts, paired: Mask, level: float) -> Floats:
    """The gap that half A finds in four of five cases, if no other slice is weak."""
    import numpy as np
    from scipy import special

    tried = np.where(paired, np.count_nonzero(paired), np.count_nonzero(~paired))
    df = np.maximum(a.df, 1e-9)
    reach = special.stdtrit(df, 1 - level / np.maximum(tried, 1)) + special.stdtrit(df, 0.8)
    return np.asarray(reach * a.se, dtype=np.float64)
