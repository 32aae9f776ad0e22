"""Categories of errors that raters named, counted in answers, over all batches of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness_rating.batches.records import Batch, Rating
from harness_rating.ratings.resolved import adjudicated, category_criteria, choices_in

Answer = tuple[str, int, str, str]
"""Arm, round, split and example."""


@dataclass(frozen=True, slots=True)
class NamedErrors:
    """What raters named in one batch.

    Attributes:
        rated: answers that somebody rated.
        categories: answer -> categories of errors that somebody named.
    """

    rated: frozenset[Answer]
    categories: frozenset[tuple[Answer, str]]


def named_errors(batch: Batch, ratings: Iterable[Rating]) -> NamedErrors:
    """The adjudicated categories, whoever of the raters named them.

    Pairs are left out: nothing says which of the two answers is meant. Of a rubric that does not
    ask for categories of errors there is nothing.
    """
    criteria = category_criteria(batch.rubric)
    rated: set[Answer] = set()
    categories: set[tuple[Answer, str]] = set()
    for item, raters in adjudicated(batch, ratings).items() if criteria else ():
        placing = batch.placings[item]
        if len(placing.rounds) != 1:
            continue
        answer = placing.arm, placing.rounds[0], placing.split, placing.example_id
        rated.add(answer)
        for values in raters.values():
            for criterion in criteria:
                categories |= {(answer, name) for name in choices_in(values.get(criterion.id))}
    return NamedErrors(frozenset(rated), frozenset(categories))


def named_rows(batches: Iterable[NamedErrors]) -> list[dict[str, Any]]:
    """Rows of the table ``named_errors``: an answer counts once for each category, in however many
    batches it is.
    """
    batches = list(batches)
    rated = Counter(answer[:3] for answer in {a for batch in batches for a in batch.rated})
    named = {pair for batch in batches for pair in batch.categories}
    counts = Counter((answer[:3], category) for answer, category in named)
    return [
        {
            "arm": place[0], "round": place[1], "split": place[2], "category": category,
            "answers": count, "rated": rated[place],
        }
        for (place, category), count in sorted(counts.items())
    ]  # fmt: skip
