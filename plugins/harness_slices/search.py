"""From candidates to slices: the table of scores, the bar to take, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import ScoredExample, Slice
from harness_slices.candidates import Candidate
from harness_slices.finder import Judgement, Rows, judge, supported

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

NAMEABLE = 3
"""A slice of fewer groups is counted but not named: its value may tell of one of them."""


@dataclass(frozen=True)
class Bar:
    """What a slice must have: support on each side of each half, and the level of evidence."""

    rows: int
    groups: int
    q: float


@dataclass(frozen=True)
class Table:
    """The scores of n rows as they are; and oriented, with groups and halves, as ``rows``.

    Attributes:
        given: rows before those without a score were left out.
        sizes: rows and groups of half A, rows and groups of half B.
    """

    scores: Floats
    rows: Rows
    given: int
    sizes: tuple[int, int, int, int]

    @classmethod
    def of(cls, given: Sequence[ScoredExample], score: str, higher: bool, seed: int) -> Table:
        """Rows without a score take part in halving, so that the halves of a run never move."""
        import numpy as np

        values = [number(row.values.get(score)) for row in given]
        return cls.built(np.array(values), [group_of(row) for row in given], higher, seed)

    @classmethod
    def built(cls, values: Floats, groups: Sequence[str], higher: bool, seed: int) -> Table:
        """From scores ``(n,)``, NaN where there is none, and the group of each row."""
        import numpy as np

        from harness_slices.contrasts import halves

        known = ~np.isnan(values)
        names = sorted(set(groups))
        place = {name: code for code, name in enumerate(names)}
        codes = np.fromiter(map(place.__getitem__, groups), np.intp, len(groups))
        of_groups = halves(names, np.bincount(codes, minlength=len(names)), seed)
        codes, scores = codes[known], values[known]
        first = of_groups[codes]
        sizes = []
        for half in (first, ~first):
            sizes += [int(np.count_nonzero(half)), int(np.count_nonzero(np.bincount(codes[half])))]
        rows = Rows(scores if higher else -scores, codes, first)
        return cls(scores, rows, len(values), (sizes[0], sizes[1], sizes[2], sizes[3]))


@dataclass(frozen=True, order=True)
class Ranked:
    """A slice and its place among the others: by q, then by p on half A, then by words."""

    q: float
    p: float
    words: str
    slice: Slice = field(compare=False)


@dataclass(frozen=True)
class Tally:
    """What became of a family of candidates.

    Attributes:
        tried: single conditions and pairs that were tested.
        small: candidates without the support for a test; ``named`` are the words of some.
        chosen, merged, held: chosen by half A, explained by stronger ones, confirmed by B.
        spread: prior variance of the gaps.
        needed: median over the single conditions of the gap that half A would find in four of
            five cases, and the median share of rows of these; None where there are none.
    """

    tried: tuple[int, int]
    small: int
    named: tuple[str, ...]
    chosen: int
    merged: int
    held: int
    spread: float
    needed: tuple[float, float] | None


@dataclass(frozen=True)
class Searched:
    """The slices of one family that are worth showing, and its tally."""

    ranked: list[Ranked]
    tally: Tally


def search(
    table: Table, single: Sequence[Candidate], double: Sequence[Candidate], bar: Bar
) -> Searched:
    """Judge one family of candidates: single conditions, and pairs of them."""
    import numpy as np

    family = [*single, *double]
    inside = np.array([c.inside for c in family], dtype=np.bool_)
    inside = inside.reshape(len(family), len(table.scores))
    a, b = (table.rows.compared(inside, first) for first in (True, False))
    large = supported(a, bar.rows, bar.groups) & supported(b, bar.rows, bar.groups)
    judged = [c for c, enough in zip(family, large, strict=True) if enough]
    verdict = judge(
        table.rows, inside[large], _parents(judged), a.chosen(large), b.chosen(large),
        np.array([c.from_prompt for c in judged], dtype=np.bool_), bar.q,
    )  # fmt: skip
    alone = np.array([len(c.conditions) == 1 for c in judged], dtype=np.bool_)
    tally = Tally(
        tried=(int(alone.sum()), int((~alone).sum())),
        small=len(family) - len(judged),
        named=_named(family, a.groups_inside + b.groups_inside, large),
        chosen=int(verdict.chosen.sum()),
        merged=int(verdict.merged.sum()),
        held=int(verdict.holds.sum()),
        spread=verdict.spread,
        needed=_needed(verdict, inside[large][alone], alone),
    )
    return Searched(_shown(table, judged, verdict), tally)


def group_of(row: ScoredExample) -> str:
    return row.example.group or f"id {row.example.id}"


def number(value: float | None) -> float:
    """The value, NaN where there is none that can be reckoned with."""
    return float(value) if value is not None and math.isfinite(value) else math.nan


def _shown(table: Table, judged: Sequence[Candidate], verdict: Judgement) -> list[Ranked]:
    """All single conditions that no stronger slice explains; of pairs those that hold."""
    shown = []
    for place, candidate in enumerate(judged):
        alone = len(candidate.conditions) == 1
        if verdict.merged[place] or not (alone or verdict.holds[place]):
            continue
        found = _slice(table, candidate, verdict, place)
        shown.append(Ranked(found.q or 0.0, float(verdict.p[place]), found.words, found))
    return shown


def _slice(table: Table, candidate: Candidate, verdict: Judgement, place: int) -> Slice:
    import numpy as np

    inside, b = candidate.inside, verdict.b
    n = int(np.count_nonzero(inside))
    return Slice(
        conditions=candidate.conditions,
        n=n,
        groups=int(verdict.a.groups_inside[place] + b.groups_inside[place]),
        score=float(table.scores[inside].mean()),
        gap=float(b.gap[place]),
        low=float(b.low[place]),
        high=float(b.high[place]),
        q=float(verdict.q[place]),
        from_prompt=candidate.from_prompt,
        holds=bool(verdict.holds[place]),
        half=int(b.n_inside[place]),
        shrunken=float(verdict.shrunken[place]),
        weight=n / len(table.scores),
    )


def _named(
    family: Sequence[Candidate], groups: Ints, large: npt.NDArray[np.bool_]
) -> tuple[str, ...]:
    """Of those not large enough: single conditions on prompts that hold in several groups."""
    return tuple(
        candidate.words
        for candidate, count, enough in zip(family, groups, large, strict=True)
        if not enough
        and count >= NAMEABLE
        and candidate.from_prompt
        and len(candidate.conditions) == 1
    )


def _parents(judged: Sequence[Candidate]) -> Ints:
    """Places ``(c, 2)`` of the conditions of each pair among the candidates, else -1."""
    import numpy as np

    place = {c.conditions: code for code, c in enumerate(judged)}
    found = np.full((len(judged), 2), -1, dtype=np.intp)
    for code, candidate in enumerate(judged):
        if len(candidate.conditions) == 2:
            found[code] = [place.get((one,), -1) for one in candidate.conditions]
    return found


def _needed(
    verdict: Judgement, inside: npt.NDArray[np.bool_], alone: npt.NDArray[np.bool_]
) -> tuple[float, float] | None:
    import numpy as np

    if not alone.any():
        return None
    share = float(np.median(inside.mean(axis=1)))
    return float(np.median(verdict.needed[alone])), share
