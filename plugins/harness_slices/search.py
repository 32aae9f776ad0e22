"""From candidates to slices: the table of scores, the bar to take, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness import ScoredExample, Slice
from harness_slices.candidates import Candidate
from harness_slices.finder import Family, Judgement, judge, supported
from harness_slices.power import Prospects, prospects
from harness_slices.weights import Known, weights

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_slices.contrasts import Contrasts
    from harness_slices.exchange import Exchange, Limit

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

NAMEABLE = 3
"""A slice of fewer groups is counted but not named: its value may tell of one of them."""
FINDS = 20
"""The search ends with so many weak slices."""


@dataclass(frozen=True)
class Bar:
    """What a slice must have: support on either side, and the level of evidence."""

    rows: int
    groups: int
    alpha: float

    def part(self, share: float) -> Bar:
        """The same for a family that has a share of the level."""
        return Bar(self.rows, self.groups, self.alpha * share)


@dataclass(frozen=True)
class Table:
    """n rows that have a score.

    Attributes:
        scores: ``(n,)`` as they are; ``values`` turned so that more is better.
        codes: ``(n,)`` of the groups, dense, in the order of their names.
        given: rows before those without a score were left out.
        seed: of what chance does to the scores.
    """

    scores: Floats
    values: Floats
    codes: Ints
    given: int
    seed: int

    @classmethod
    def of(cls, rows: Sequence[ScoredExample], score: str, higher: bool, seed: int) -> Table:
        """From rows in an order that does not depend on where they came from."""
        import numpy as np

        values = [number(row.values.get(score)) for row in rows]
        return cls.built(np.array(values), [group_of(row) for row in rows], higher, seed)

    @classmethod
    def built(cls, values: Floats, groups: Sequence[str], higher: bool, seed: int) -> Table:
        """From scores ``(n,)``, NaN where there is none, and the group of each row."""
        import numpy as np

        from harness.stats.groups import encode

        known = ~np.isnan(values)
        scores = values[known]
        codes, _ = encode([group for group, scored in zip(groups, known, strict=True) if scored])
        return cls(scores, scores if higher else -scores, codes, len(values), seed)

    @cached_property
    def chance(self) -> Exchange | Limit:
        """The same for all that is tested on these rows."""
        from harness_slices.exchange import chance

        return chance(self.codes, self.seed)

    @property
    def groups(self) -> int:
        return int(self.codes.max(initial=-1)) + 1


@dataclass(frozen=True, order=True)
class Ranked:
    """A slice and its place among the others: by q, then by p of its own, then by words."""

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
        merged, held: explained by others; weak.
        prospects: what could be found; None where there are no single conditions.
    """

    tried: tuple[int, int]
    small: int
    named: tuple[str, ...]
    merged: int
    held: int
    prospects: Prospects | None


@dataclass(frozen=True)
class Searched:
    """The slices of one family that are worth showing, and its tally."""

    ranked: list[Ranked]
    tally: Tally


def search(
    table: Table, single: Sequence[Candidate], double: Sequence[Candidate], bar: Bar,
    train: Known = (),
) -> Searched:  # fmt: skip
    """Judge one family of candidates: single conditions, and pairs of them."""
    import numpy as np

    from harness_slices.contrasts import contrasts

    candidates = [*single, *double]
    inside = np.array([c.inside for c in candidates], dtype=np.bool_)
    inside = inside.reshape(len(candidates), len(table.scores))
    seen = contrasts(table.values, inside, table.codes)
    large = supported(seen, bar.rows, bar.groups)
    judged = [c for c, enough in zip(candidates, large, strict=True) if enough]
    family = Family(
        table.values, inside[large], _parents(judged),
        np.array([c.from_prompt for c in judged], dtype=np.bool_), weights(judged, train),
    )  # fmt: skip
    tested = seen.chosen(large)
    verdict = judge(family, tested, table.chance, bar.alpha, FINDS)
    alone = np.array([len(c.conditions) == 1 for c in judged], dtype=np.bool_)
    tally = Tally(
        tried=(int(alone.sum()), int((~alone).sum())),
        small=len(candidates) - len(judged),
        named=_named(candidates, seen.groups_inside, large),
        merged=int(verdict.merged.sum()),
        held=int(verdict.holds.sum()),
        prospects=prospects(
            table.values, [c.words for c in judged], alone & ~verdict.merged, tested, verdict
        ),
    )
    return Searched(_shown(table, judged, tested, verdict), tally)


def group_of(row: ScoredExample) -> str:
    return row.example.group or f"id {row.example.id}"


def number(value: float | None) -> float:
    """The value, NaN where there is none that can be reckoned with."""
    return float(value) if value is not None and math.isfinite(value) else math.nan


def _shown(
    table: Table, judged: Sequence[Candidate], seen: Contrasts, verdict: Judgement
) -> list[Ranked]:
    """All single conditions that no weak slice explains; of pairs those that hold."""
    shown = []
    for place, candidate in enumerate(judged):
        alone = len(candidate.conditions) == 1
        if verdict.merged[place] or not (alone or verdict.holds[place]):
            continue
        item = _slice(table, candidate, seen, verdict, place)
        shown.append(Ranked(item.q or 0.0, float(verdict.p[place]), item.words, item))
    return shown


def _slice(
    table: Table, candidate: Candidate, seen: Contrasts, verdict: Judgement, place: int
) -> Slice:
    low, high = float(verdict.low[place]), float(verdict.high[place])
    bounded = math.isfinite(low) and math.isfinite(high)
    return Slice(
        conditions=candidate.conditions,
        n=int(seen.n_inside[place]),
        groups=int(seen.groups_inside[place]),
        score=float(table.scores[candidate.inside].mean()),
        gap=float(verdict.gap[place]),
        low=low if bounded else None,
        high=high if bounded else None,
        q=float(verdict.adjusted[place]),
        from_prompt=candidate.from_prompt,
        holds=bool(verdict.holds[place]),
        shrunken=float(verdict.shrunken[place]),
        weight=float(seen.n_inside[place]) / len(table.scores),
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
    parents = np.full((len(judged), 2), -1, dtype=np.intp)
    for code, candidate in enumerate(judged):
        if len(candidate.conditions) == 2:
            parents[code] = [place.get((condition,), -1) for condition in candidate.conditions]
    return parents
