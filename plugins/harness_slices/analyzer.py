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
from harness_slices.weights import known

TOPICS = "topics"
"""What clusters are called in ``include`` and ``exclude``."""
REPLIES = 0.2
"""Share of the level that goes to slices of replies."""
MOST_SINGLES = 1000
"""Conditions looked at; more come from hostile or unsuitable meta only."""


class Slices(harness.Analyzer):
    """Compares every slice with the rest on the primary score, and says which are weak.

    A slice is a condition on the prompt (``intent = RateBook``), on what training knew of it
    (``train_distance > 0.8``) or on the reply (``finish_reason = length``), or two of the first
    kinds together. All are tested on all rows by one rule (weighted max-T, see
    :mod:`harness_slices.finder`): where nothing is weak, anything is found in a share ``alpha``
    of dev sets at most. A fifth of that goes to replies, which are tested apart, so that the
    obvious (cut replies score badly) lends no credit to the rest.
    """

    name = "slices"
    revision = 5
    synonyms = {"q": "alpha"}

    class Options(harness.Options):
        min_rows: int = Field(5, ge=2, description="least rows inside and outside of a slice")
        min_groups: int = Field(5, ge=2, description="the same for groups")
        include: tuple[str, ...] = Field((), description="use these features only")
        exclude: tuple[str, ...] = Field((), description="features to pass over")
        max_slices: int = Field(20, ge=1, description="most slices reported")
        bins: int = Field(3, ge=2, le=10, description="numbers are cut at n-quantiles")
        alpha: float = Field(
            0.03, ge=0.01, le=0.5, description="probability of any find where nothing is weak"
        )
        pairs: int = Field(100, ge=0, le=2000, description="most pairs of conditions tried")
        clusters: int = Field(8, ge=0, le=50, description="clusters of prompts; under 2 = none")

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        # What chance does to the scores is drawn row by row: their order must not matter.
        scored = sorted(evidence.scored, key=lambda row: row.example.id)
        rows = [row for row in scored if not isnan(number(row.values.get(evidence.score)))]
        if not rows:
            return Findings(notes=(f"no row has the score '{evidence.score}': no slices",))
        table = Table.of(scored, evidence.score, evidence.higher_is_better, evidence.seed)
        bar = Bar(self.options.min_rows, self.options.min_groups, self.options.alpha)
        asked, unseen = self._of_prompts(rows, evidence)
        prompts = search(
            table, asked, pairs(asked, self.options.pairs), bar.part(1 - REPLIES),
            known(evidence.train),
        )  # fmt: skip
        replies = search(table, self._of_replies(rows), [], bar.part(REPLIES))
        ranked = sorted([*prompts.ranked, *replies.ranked])[: self.options.max_slices]
        notes = sentences(prompts.tally, replies.tally, table, bar, unseen)
        return Findings(tuple(place.slice for place in ranked), notes=notes)

    def _of_prompts(
        self, rows: Sequence[ScoredExample], evidence: Evidence
    ) -> tuple[list[Candidate], list[str]]:
        """Single conditions, and what was not looked at.

        Only what the core knows of every prompt can address rows of the pool: the other
        features tell where the model is weak, but no plan can ask for more of the kind.
        """
        examples = [row.example for row in rows]
        candidates = self._singles([prompt_features(example) for example in examples], True)
        covered, unseen = self._of_coverage(examples, evidence.train)
        candidates += covered
        if self.options.clusters > 1 and self._looks_at(TOPICS):
            prompts = [Prompt(row.example.id, group_of(row), row.example.prompt) for row in rows]
            candidates += topics(prompts, self.options.clusters, evidence.seed)
        if len(candidates) > MOST_SINGLES:
            unseen.append(f"only {MOST_SINGLES} of {len(candidates)} conditions were looked at")
        return distinct(candidates[:MOST_SINGLES]), unseen

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
        names = sorted(filter(self._looks_at, {name for row in rows for name in row}))
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
