"""The analyzer ``slices``: groups of rows on which the model scores lower than elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

import harness
from harness import Context, Evidence, Findings, ScoredExample, Slice
from harness.features import prompt_features, reply_features
from harness_slices.candidates import Candidate, Value, candidates

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WEAK_AT = 0.1
NAMED = 5
LEAST_NAMED = 3
"""A slice of fewer rows is counted but not named: its value may tell of a single row."""


class Slices(harness.Analyzer):
    """Compares every slice with the rest on the primary score, and says which are weak.

    A slice is one condition on a feature of the prompt (``intent = RateBook``) or of the reply
    (``finish_reason = length``). Tests are one-sided and clustered by group; q-values are
    those of Benjamini and Hochberg, within prompt features and within reply features, so that
    the obvious (cut replies score badly) lends no credit to the rest.
    """

    name = "slices"

    class Options(harness.Options):
        min_rows: int = Field(8, ge=2, description="least rows inside and outside of a slice")
        min_groups: int = Field(8, ge=2, description="the same for groups")
        include: tuple[str, ...] = Field((), description="look at these features only")
        exclude: tuple[str, ...] = Field((), description="features to pass over")
        max_slices: int = Field(20, ge=1, description="most slices reported")
        bins: int = Field(3, ge=2, le=10, description="numbers are cut at n-quantiles")

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        rows = [row for row in evidence.scored if _score(row, evidence.score) is not None]
        if not rows:
            return Findings(notes=(f"no row has the score '{evidence.score}': no slices",))
        table = _Table.of(rows, evidence)
        families = (
            self._candidates([prompt_features(row.example) for row in rows], True),
            self._candidates([reply_features(row.prediction) for row in rows], False),
        )
        found: list[tuple[float, Slice]] = []
        small: list[Candidate] = []
        for family in families:
            judged: list[Candidate] = []
            for candidate in family:
                (judged if self._supported(candidate, table) else small).append(candidate)
            found += table.judge(judged)
        found.sort(key=lambda pair: (pair[1].q or 0.0, pair[0], pair[1].words))
        slices = tuple(piece for _, piece in found)
        notes = _notes(slices, small, len(rows), len(evidence.scored), self.options)
        return Findings(slices[: self.options.max_slices], notes)

    def _candidates(
        self, rows: Sequence[Mapping[str, Value]], from_prompt: bool
    ) -> list[Candidate]:
        chosen = [
            {name: value for name, value in row.items() if self._looks_at(name)} for row in rows
        ]
        return list(candidates(chosen, from_prompt, self.options.bins))

    def _looks_at(self, feature: str) -> bool:
        wanted = not self.options.include or feature in self.options.include
        return wanted and feature not in self.options.exclude

    def _supported(self, candidate: Candidate, table: _Table) -> bool:
        return all(
            int(side.sum()) >= self.options.min_rows
            and table.groups_of(side) >= self.options.min_groups
            for side in (candidate.inside, ~candidate.inside)
        )


@dataclass(frozen=True)
class _Table:
    """The scores of n rows: as they are, oriented so that more is better, and group codes."""

    scores: npt.NDArray[np.float64]
    oriented: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]

    @classmethod
    def of(cls, rows: Sequence[ScoredExample], evidence: Evidence) -> _Table:
        import numpy as np

        from harness.stats import encode

        scores = np.array([_score(row, evidence.score) for row in rows], dtype=np.float64)
        codes, _ = encode([row.example.group or f"id {row.example.id}" for row in rows])
        return cls(scores, scores if evidence.higher_is_better else -scores, codes)

    def groups_of(self, inside: npt.NDArray[np.bool_]) -> int:
        import numpy as np

        return int(np.count_nonzero(np.bincount(self.codes[inside])))

    def judge(self, family: Sequence[Candidate]) -> list[tuple[float, Slice]]:
        """(p, slice) of each candidate, with q-values within this family."""
        import numpy as np

        from harness.stats import benjamini_hochberg, contrast

        tests = [contrast(self.oriented, c.inside, self.codes) for c in family]
        q_values = benjamini_hochberg(np.array([test.p for test in tests]))
        return [
            (
                test.p,
                Slice(
                    conditions=(candidate.condition,),
                    n=test.n_inside,
                    groups=test.groups_inside,
                    score=float(self.scores[candidate.inside].mean()),
                    gap=test.gap,
                    low=test.low,
                    high=test.high,
                    q=float(q),
                    from_prompt=candidate.from_prompt,
                ),
            )
            for candidate, test, q in zip(family, tests, q_values, strict=True)
        ]


def _score(row: ScoredExample, name: str) -> float | None:
    value = row.values.get(name)
    return value if value is not None and math.isfinite(value) else None


def _notes(
    slices: Sequence[Slice],
    small: Sequence[Candidate],
    scored: int,
    given: int,
    options: Slices.Options,
) -> tuple[str, ...]:
    weak = sum(s.q is not None and s.q <= WEAK_AT and (s.gap or 0) > 0 for s in slices)
    notes = [f"{len(slices)} slices were tried, {weak} are weak (q <= {WEAK_AT:g})"]
    if small:
        names = [
            c.condition.words for c in small if c.from_prompt and c.inside.sum() >= LEAST_NAMED
        ]
        shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
        notes.append(
            f"too small to judge: {len(small)} (fewer than {options.min_rows} rows or "
            f"{options.min_groups} groups on one side)" + (f": {shown}" if shown else "")
        )
    if given > scored:
        notes.append(f"{given - scored} of {given} rows have no score and were left out")
    return tuple(notes)
