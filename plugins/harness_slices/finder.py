"""Which candidates are weak for sure: all rows, one family-wise rule, one slice after the other.

1. Every candidate is compared with the rest on all rows, and all of them together with what
   chance makes of the weakest (weighted max-T, :mod:`harness_slices.largest`). A candidate whose
   family-wise p is at most alpha is weak.
2. The strongest of these is kept, fitted and taken out of the scores; those that it explains
   leave; the rest is tested again, until none is weak. So where nothing is weak, anything is
   called so in a share alpha of data sets at most, and likewise beside what was found.
3. Each that was kept is tested again beside all others that were (the backward step of stepwise
   selection). One that these explain is left out, and the search goes on with what it had
   explained. The gap is what a slice takes off beside the others (least squares, effects added).
4. The gap of all rows is too large for slices that were chosen for it. Its interval is the one
   that the test of all together turns into; and for planning the gap is shrunk with a prior from
   all candidates, which takes off what choosing the largest of many adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness_slices.shrink import prior

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_slices.contrasts import Contrasts
    from harness_slices.exchange import Exchange, Limit
    from harness_slices.largest import Tested

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Mask = npt.NDArray[np.bool_]
    Beside = Callable[[Mask, list[int]], Tested]

ALIKE = 0.5
"""Jaccard overlap from which two slices count as one."""
LEFT = 0.5
"""A slice is explained by others if outside of them its gap is less than this share."""
OPEN, OUT = -1, -2


@dataclass(frozen=True)
class Family:
    """c candidates that are tested together, on n rows.

    Attributes:
        values: ``(n,)``, more is better.
        inside: ``(c, n)``.
        parents: ``(c, 2)``: of a pair, the places of its two conditions among the candidates;
            -1 where there is none.
        preferred: ``(c,)``: kept instead of a stronger one that has nearly the same rows. These
            are the slices that rows can be addressed by.
        weights: ``(c,)``, positive, of mean 1.
    """

    values: Floats
    inside: Mask
    parents: Ints
    preferred: Mask
    weights: Floats


@dataclass(frozen=True)
class Judgement:
    """What became of c candidates; the arrays are ``(c,)``.

    Attributes:
        holds: weak; ``merged``: weak only as long as others that are were not taken out.
        p: of each alone; gap: rest minus slice; needed: the gap from which on it is called weak;
            chance: standard deviation of the gap by chance. Of those that hold, after the others
            that hold were fitted.
        adjusted: family-wise; of those that do not hold, when they were tested last.
        low, high: bounds of the gap that hold for all candidates together.
        shrunken: posterior mean of the gap.
    """

    holds: Mask
    merged: Mask
    p: Floats
    adjusted: Floats
    gap: Floats
    needed: Floats
    chance: Floats
    low: Floats
    high: Floats
    shrunken: Floats


def supported(contrasts: Contrasts, rows: int, groups: int) -> Mask:
    """Which slices have so many rows and groups on either side."""
    import numpy as np

    enough: Mask = np.minimum(contrasts.n_inside, contrasts.n_outside) >= rows
    enough &= np.minimum(contrasts.groups_inside, contrasts.groups_outside) >= groups
    return enough


def judge(
    family: Family, seen: Contrasts, chance: Exchange | Limit, alpha: float, most: int
) -> Judgement:
    """Judge candidates that are supported.

    Args:
        seen: the candidates against the rest.
        alpha: probability of any false find.
        most: finds after which the search ends.
    """
    import numpy as np

    from harness_slices.largest import compared

    def tested(tried: Mask, fitted: list[int]) -> Tested:
        return compared(
            family.values, family.inside[tried], family.inside[fitted], chance,
            family.weights[tried], alpha,
        )  # fmt: skip

    first = tested(np.ones(len(family.inside), dtype=np.bool_), [])
    search = _Search.begin(
        family, lambda tried, fitted: tested(tried, fitted) if fitted or not tried.all() else first,
        alpha, most,
    )  # fmt: skip
    while True:
        search.forward()
        together = search.together()
        explained = max(
            together, key=lambda at: (together[at].adjusted, together[at].p), default=None
        )
        if explained is None or together[explained].adjusted <= alpha:
            break
        search.leave_out(explained)
    # Of a find the figures beside the other finds, of the others those of the first test.
    p, gap, needed, spread = (x.copy() for x in (first.p, first.gap, first.needed, first.spread))
    adjusted = search.adjusted
    for place, find in together.items():
        p[place], gap[place], needed[place] = find.p, find.gap, find.needed
        spread[place] = find.spread
        adjusted[place] = max(adjusted[place], find.adjusted)
    holds = np.isin(np.arange(len(p)), list(together))
    ses = _errors(gap, p, spread)
    belief = prior(gap, ses, holds)
    with np.errstate(invalid="ignore"):
        above = np.fmax(needed, needed / spread * seen.se)
    return Judgement(
        holds=holds,
        merged=search.once & ~holds,
        p=p,
        adjusted=adjusted,
        gap=gap,
        needed=needed,
        chance=spread,
        low=gap - needed,
        high=gap + above,
        shrunken=belief.shrink(gap, ses),
    )


class TestedFind(NamedTuple):
    """One find, tested beside the others; see :class:`harness_slices.largest.Tested`."""

    p: float
    adjusted: float
    gap: float
    needed: float
    spread: float


@dataclass(frozen=True)
class _Search:
    """Stepwise selection among c candidates.

    Attributes:
        found: the finds, in the order in which they were.
        leaves: ``(c,)``: the find for which a candidate is tested no more, itself included;
            :data:`OPEN` where there is none, :data:`OUT` of a find that others explained.
        once: ``(c,)``: weak when it was tested.
        adjusted: ``(c,)``: family-wise, when it was found or tested last.
    """

    family: Family
    beside: Beside
    alpha: float
    most: int
    found: list[int]
    leaves: Ints
    once: Mask
    adjusted: Floats

    @classmethod
    def begin(cls, family: Family, beside: Beside, alpha: float, most: int) -> _Search:
        """Nothing is found yet; ``beside`` tests candidates beside finds."""
        import numpy as np

        count = len(family.inside)
        leaves, once = np.full(count, OPEN), np.zeros(count, dtype=np.bool_)
        return cls(family, beside, alpha, most, [], leaves, once, np.ones(count))

    def forward(self) -> None:
        """Find the strongest weak one after the other, until none is weak beside those found."""
        import numpy as np

        while True:
            candidates = np.flatnonzero(self.leaves == OPEN)
            if not len(candidates):
                return
            tested = self.beside(self.leaves == OPEN, self.found)
            # Monotone, as in Holm's method: none is surer than what was found before it.
            highest = self.adjusted[self.found].max(initial=0.0)
            self.adjusted[candidates] = np.maximum(tested.adjusted, highest)
            weak = candidates[(tested.adjusted <= self.alpha) & (tested.p < 0.5)]
            if not len(weak) or len(self.found) == self.most:
                return
            place = np.searchsorted(candidates, weak)
            best = _kept(self.family, weak, tested.p[place] / self.family.weights[weak])
            self.found.append(best)
            self.once[weak] = True
            covered: Mask = np.logical_or.reduce(self.family.inside[self.found])
            # Candidates without a row of their own, the find itself, and what it explains.
            leaving = np.asarray(~(self.family.inside & ~covered).any(axis=1))
            leaving[[best, *_explained(self.family, weak, best, covered)]] = True
            self.leaves[leaving & (self.leaves == OPEN)] = best

    def together(self) -> dict[int, TestedFind]:
        """Each find tested beside all others, among the candidates that these do not take out."""
        import numpy as np

        tests = {}
        for find in self.found:
            others = [other for other in self.found if other != find]
            tried = ~np.isin(self.leaves, others)
            tested = self.beside(tried, others)
            at = int(np.count_nonzero(tried[:find]))  # its place among those that are tried
            columns = (tested.p, tested.adjusted, tested.gap, tested.needed, tested.spread)
            tests[find] = TestedFind(*(float(column[at]) for column in columns))
        return tests

    def leave_out(self, find: int) -> None:
        """Take out a find that the others explain; what it had explained is tested again."""
        self.found.remove(find)
        self.leaves[self.leaves == find] = OPEN
        self.leaves[find] = OUT


def _errors(gaps: Floats, p: Floats, chance: Floats) -> Floats:
    """Standard errors ``(c,)`` with which a normal law gives gaps the p that they have."""
    import numpy as np
    from scipy import special

    z = -special.ndtri(p)
    with np.errstate(all="ignore"):
        errors = gaps / z
        # Near 0 the quotient of two small numbers says nothing: there the spread by chance stands.
        return np.where((np.abs(z) > 1) & np.isfinite(errors) & (errors > 0), errors, chance)


def _kept(family: Family, weak: Ints, ranks: Floats) -> int:
    """The strongest; or its parent, if that is weak outside of it, too; or a preferred one."""
    import numpy as np

    order = weak[np.lexsort((weak, ranks))].tolist()
    best: int = order[0]
    wider = [
        place
        for place in order
        if place in family.parents[best].tolist()
        and weak_without(family.values, family.inside[place], family.inside[best])
    ]
    best = wider[0] if wider else best
    if not family.preferred[best]:
        own = family.inside[best]
        alike = [
            place
            for place in order
            if family.preferred[place] and jaccard(family.inside[place], own) >= ALIKE
        ]
        best = alike[0] if alike else best
    return best


def _explained(family: Family, weak: Ints, best: int, covered: Mask) -> list[int]:
    """Of the weak ones those that ``best`` is, or that are not weak outside of what is found."""
    return [
        place
        for place in weak.tolist()
        if jaccard(family.inside[place], family.inside[best]) >= ALIKE
        or not weak_without(family.values, family.inside[place], covered)
    ]


def weak_without(values: Floats, own: Mask, taken: Mask) -> bool:
    """Whether a slice without some rows keeps ``LEFT`` of its gap, the rest without them too."""
    more, rest = own & ~taken, ~own & ~taken
    if not more.any() or not rest.any():
        return False
    gap = values[~own].mean() - values[own].mean()
    return bool(values[rest].mean() - values[more].mean() >= LEFT * gap)


def jaccard(mask: Mask, other: Mask) -> float:
    import numpy as np

    union = np.count_nonzero(mask | other)
    return float(np.count_nonzero(mask & other)) / union if union else 0.0
