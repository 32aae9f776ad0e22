"""What the analyzer ``slices`` looks at: conditions on prompts, on what train knew, on replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan

from harness import Evidence, Example, Findings, ScoredExample
from harness.kit.features import prompt_features, reply_features
from harness.kit.numbers import percent
from harness_slices.analyzer import Slices
from harness_slices.candidates import Candidate, Value, distinct, pairs, singles
from harness_slices.coverage import COVERAGE, coverage
from harness_slices.search import Bar, Table, Tally, group_of, number, search
from harness_slices.topics import Prompt, topics
from harness_slices.weights import known

TOPICS = "topics"
"""What clusters are called in ``include`` and ``exclude``."""
REPLIES = 0.2
"""Share of the level that goes to slices of replies."""
MOST_SINGLES = 1000
"""Conditions looked at; more come from hostile or unsuitable meta only."""
NAMED = 5
"""Slices too small to judge that are named."""


class Analysis:
    """One look at the answers of a round."""

    def __init__(self, options: Slices.Options) -> None:
        self.options = options

    def findings(self, evidence: Evidence) -> Findings:
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
        notes = (*_notes(prompts.tally, replies.tally, table, bar), *unseen)
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


# -- what is said beside the slices ----------------------------------------------------------------


def _notes(prompts: Tally, replies: Tally, table: Table, bar: Bar) -> Iterator[str]:
    """How many were tried, and what could be found; counts, and names of slices of enough groups.

    Args:
        prompts, replies: the tallies of the two families.
        bar: of both; ``alpha`` is the sum of theirs.
    """
    single, double = prompts.tried
    yield (
        f"slices tried: {single + double + sum(replies.tried)} ({single} of prompts, {double} "
        f"pairs of these, {replies.tried[0]} of replies); underperforming (a find by chance in "
        f"{percent(bar.alpha)} of dev sets at most): {prompts.held + replies.held}"
    )
    merged = prompts.merged + replies.merged
    if merged:
        yield f"left out, because others explain them: {merged}"
    small = prompts.small + replies.small
    if small:
        names = prompts.named[:NAMED]
        more = ", …" if len(prompts.named) > NAMED else ""
        yield (
            f"too small to judge: {small} (fewer than {bar.rows} rows or {bar.groups} groups in "
            f"or outside of them)" + (f": {', '.join(names)}{more}" if names else "")
        )
    yield from _power(prompts, table)
    left = table.given - len(table.scores)
    if left:
        yield f"{left} of {table.given} rows have no score and were left out"


def _power(prompts: Tally, table: Table) -> Iterator[str]:
    """What these data can show, so that "none" is not read as "all well"."""
    rows = f"{len(table.scores)} dev rows in {table.groups} groups"
    known = prompts.prospects
    if known is None:
        yield f"{rows}: no slice of prompts is large enough to be judged"
        return
    of = f"{rows}: for a slice with {percent(known.share)} of the rows"
    if known.gap is None:
        yield f"{of} no gap is found at 80 % power"
    else:
        yield f"{of} the minimum detectable gap is about {known.gap:.2g} at 80 % power"
    if known.open:
        yield (
            f"not confirmed, with the most evidence: {known.open.words}, {known.open.gap:.2g} "
            f"below the rest; if that is its true gap, about {_round(known.open.rows):,} dev rows "
            "in all would find it at 80 % power"
        )


def _round(rows: int) -> int:
    """Two digits, up."""
    unit = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // unit) * unit
