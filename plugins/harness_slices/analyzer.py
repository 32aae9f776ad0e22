"""The analyzer ``slices``: groups of rows on which the model scores lower than elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

from pydantic import Field

import harness
from harness import Context, Evidence, Example, Findings, ScoredExample
from harness.kit.features import prompt_features, reply_features
from harness_slices.candidates import Candidate, Value, distinct, pairs, singles
from harness_slices.coverage import COVERAGE, coverage
from harness_slices.notes import sentences
from harness_slices.search import Bar, Table, group_of, number, search
from harness_slices.topics import Prompt, topics

TOPICS = "topics"
"""What clusters are called in ``include`` and ``exclude``."""
MOST_SINGLES = 1000
"""Conditions looked at; more come from hostile or unsuitable meta only."""


class Slices(harness.Analyzer):
    """Compares every slice with the rest on the primary score, and says which are weak.

    A slice is a condition on the prompt (``intent = RateBook``), on what training knew of it
    (``train_distance > 0.8``) or on the reply (``finish_reason = length``), or two of the first
    kinds together. It holds if half of the groups finds it and the other half confirms it; the
    gap is that of the other half. Prompts and replies are corrected apart, so that the obvious
    (cut replies score badly) lends no credit to the rest.
    """

    name = "slices"
    revision = 3

    class Options(harness.Options):
        min_rows: int = Field(8, ge=2, description="least rows in and outside a slice, per half")
        min_groups: int = Field(8, ge=2, description="the same for groups")
        include: tuple[str, ...] = Field((), description="use these features only")
        exclude: tuple[str, ...] = Field((), description="features to pass over")
        max_slices: int = Field(20, ge=1, description="most slices reported")
        bins: int = Field(3, ge=2, le=10, description="numbers are cut at n-quantiles")
        q: float = Field(0.1, gt=0, le=0.5, description="false discovery rate on either half")
        pairs: int = Field(100, ge=0, le=2000, description="most pairs of conditions tried")
        clusters: int = Field(8, ge=0, le=50, description="clusters of prompts; under 2 = none")

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        rows = [row for row in evidence.scored if not isnan(number(row.values.get(evidence.score)))]
        if not rows:
            return Findings(notes=(f"no row has the score '{evidence.score}': no slices",))
        table = Table.of(evidence.scored, evidence.score, evidence.higher_is_better, evidence.seed)
        bar = Bar(self.options.min_rows, self.options.min_groups, self.options.q)
        asked, unseen = self._of_prompts(rows, evidence)
        prompts = search(table, asked, pairs(asked, self.options.pairs), bar)
        replies = search(table, self._of_replies(rows), [], bar)
        ranked = sorted([*prompts.ranked, *replies.ranked])[: self.options.max_slices]
        said = sentences(prompts.tally, replies.tally, table, bar, unseen)
        return Findings(tuple(one.slice for one in ranked), notes=said)

    def _of_prompts(
        self, rows: Sequence[ScoredExample], evidence: Evidence
    ) -> tuple[list[Candidate], list[str]]:
        """Single conditions, and what was not looked at.

        Only what the core knows of every prompt can address rows of the pool: the other
        features tell where the model is weak, but no plan can ask for more of the kind.
        """
        examples = [row.example for row in rows]
        known = [prompt_features(example) for example in examples]
        found = self._singles(known, True)
        covered, unseen = self._of_coverage(examples, evidence.train)
        found += covered
        if self.options.clusters > 1 and self._looks_at(TOPICS):
            prompts = [Prompt(row.example.id, group_of(row), row.example.prompt) for row in rows]
            found += topics(prompts, self.options.clusters, evidence.seed)
        if len(found) > MOST_SINGLES:
            unseen.append(f"only {MOST_SINGLES} of {len(found)} conditions were looked at")
        return distinct(found[:MOST_SINGLES]), unseen

    def _of_coverage(
        self, examples: Sequence[Example], train: Sequence[Example]
    ) -> tuple[list[Candidate], list[str]]:
        wanted = [name for name in COVERAGE if self._looks_at(name)]
        if not train or not wanted:
            return [], []
        columns = coverage(examples, train)
        if not columns:
            return [], ["training coverage was not looked at: too many rows to compare"]
        return [
            candidate
            for name in wanted
            for candidate in singles(name, columns[name], False, self.options.bins)
        ], []

    def _of_replies(self, rows: Sequence[ScoredExample]) -> list[Candidate]:
        return distinct(self._singles([reply_features(row.prediction) for row in rows], False))

    def _singles(
        self,
        rows: Sequence[Mapping[str, Value]],
        from_prompt: bool,
    ) -> list[Candidate]:
        given = {name for row in rows for name in row}
        names = sorted(filter(self._looks_at, given))
        return [
            candidate
            for name in names
            for candidate in singles(
                name, [row.get(name) for row in rows], from_prompt, self.options.bins
            )
        ]

    def _looks_at(self, feature: str) -> bool:
        wanted = not self.options.include or feature in self.options.include
        return wanted and feature not in self.options.exclude
