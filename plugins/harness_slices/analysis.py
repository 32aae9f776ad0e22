"""What the analyzer ``slices`` looks at: conditions on prompts, on what train knew, on replies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness import Evidence, Example, Findings, ScoredExample
from harness.kit.alike.words import Rows, asked, words
from harness.kit.features import prompt_features, reply_features
from harness.kit.numbers import percent
from harness_slices.candidates import Candidate, Value, distinct, pairs, singles
from harness_slices.options import SlicesOptions
from harness_slices.search import Bar, Table, Tally, group_of, number, search
from harness_slices.topics import Prompt, topics
from harness_slices.weights import known

COVERAGE = ("rare_words", "train_distance")
RARE = 2
"""A word is rare if fewer training rows have it."""
DIGITS = 2
"""Decimals: they are cut at values that people read."""
MOST_PRODUCTS = 500_000_000
"""Prompts times training rows; more would take minutes."""
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

    def __init__(self, options: SlicesOptions) -> None:
        self.options = options

    def findings(self, evidence: Evidence) -> Findings:
        # What chance does to the scores is drawn row by row: their order must not matter.
        scored = sorted(evidence.scored, key=lambda row: row.example.id)
        rows = [row for row in scored if not math.isnan(number(row.values.get(evidence.score)))]
        if not rows:
            return Findings(notes=(f"no row has the score '{evidence.score}': no slices",))
        table = Table.of(scored, evidence.score, evidence.higher_is_better, evidence.seed)
        bar = Bar(self.options.min_rows, self.options.min_groups, self.options.alpha)
        singles_of_prompts, unseen = self._of_prompts(rows, evidence)
        prompts = search(
            table, singles_of_prompts, pairs(singles_of_prompts, self.options.pairs),
            bar.part(1 - REPLIES), known(evidence.train),
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
        names = [name for name in COVERAGE if self._looks_at(name)]
        if not train or not names:
            return [], []
        columns = coverage(examples, train)
        if not columns:
            return [], ["training coverage was not looked at: too many rows to compare"]
        candidates: list[Candidate] = []
        for name in names:
            candidates += singles(name, columns[name], False, self.options.bins)
        return candidates, []

    def _of_replies(self, rows: Sequence[ScoredExample]) -> list[Candidate]:
        return distinct(self._singles([reply_features(row.prediction) for row in rows], False))

    def _singles(
        self, features: Sequence[Mapping[str, Value]], from_prompt: bool
    ) -> list[Candidate]:
        """The conditions on single features.

        Args:
            features: of each row, name -> value.
        """
        candidates: list[Candidate] = []
        for name in sorted({name for row in features for name in row}):
            if self._looks_at(name):
                column = [row.get(name) for row in features]
                candidates += singles(name, column, from_prompt, self.options.bins)
        return candidates

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
    unscored = table.given - len(table.scores)
    if unscored:
        yield f"{unscored} of {table.given} rows have no score and were left out"


def _power(prompts: Tally, table: Table) -> Iterator[str]:
    """What these data can show, so that "none" is not read as "all well"."""
    rows = f"{len(table.scores)} dev rows in {table.groups} groups"
    prospects = prompts.prospects
    if prospects is None:
        yield f"{rows}: no slice of prompts is large enough to be judged"
        return
    share = f"{rows}: for a slice with {percent(prospects.share)} of the rows"
    if prospects.gap is None:
        yield f"{share} no gap is found at 80 % power"
    else:
        yield f"{share} the minimum detectable gap is about {prospects.gap:.2g} at 80 % power"
    if nearest := prospects.open:
        yield (
            f"not confirmed, with the most evidence: {nearest.words}, {nearest.gap:.2g} below the "
            f"rest; if that is its true gap, about {_rounded_up(nearest.rows):,} dev rows in all "
            "would find it at 80 % power"
        )


def _rounded_up(rows: int) -> int:
    """To two significant digits."""
    unit = int(10 ** max(0, len(str(rows)) - 2))
    return math.ceil(rows / unit) * unit


# -- how well train covers a prompt ----------------------------------------------------------------


def coverage(examples: Sequence[Example], train: Sequence[Example]) -> dict[str, list[float]]:
    """``train_distance`` and ``rare_words`` of each example, from 0 (well covered) to 1.

    The distance is 1 minus the similarity of the nearest training row
    (:class:`harness.kit.alike.words.Rows`); ``rare_words`` is the share of the different words that
    fewer than ``RARE`` training rows have. A text without words has neither (NaN). Empty where
    there would be more than ``MOST_PRODUCTS`` comparisons.
    """
    if not train or len(examples) * len(train) > MOST_PRODUCTS:
        return {}
    texts = [asked(example) for example in examples]
    trained = [asked(row) for row in train]
    rows_with = Counter(word for text in trained for word in set(words(text)))
    rare, distance = [], []
    for text, nearest in zip(texts, Rows(trained).nearest(texts, 1), strict=True):
        different = set(words(text))
        missing = sum(rows_with[word] < RARE for word in different)
        rare.append(round(missing / len(different), DIGITS) if different else math.nan)
        alike = nearest[0][1] if nearest else 0.0
        distance.append(round(1 - alike, DIGITS) if different else math.nan)
    return {"rare_words": rare, "train_distance": distance}
