"""What raters' values come to, item by item: the one place that says which of them count.

Agreement is computed from what each rater gave; everything else (scores, verdicts, error
categories, validity, a judge's calibration) from the adjudicated values here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import Criterion, DataError, Rubric
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.rubric import scales, scoring
from harness_rating.rubric.scoring import asked_criteria, missing

Values = Mapping[str, Any]
"""Criterion -> value."""
ByItem = dict[str, dict[str, dict[str, Any]]]
"""Item -> rater -> criterion -> value."""
OVERALL = ""
"""The column of the overall score."""
_HINT = "the rater's file was changed outside of the program: take it from a backup"


def checked(batch: Batch, ratings: Iterable[Rating]) -> Iterator[Rating]:
    """Ratings of the batch's items and criteria, leaving out marks such as flags.

    Raises:
        DataError: a value that its scale does not know, as in a file edited by hand.
    """
    criteria = {criterion.id: criterion for criterion in batch.rubric.criteria}
    for rating in ratings:
        if rating.criterion not in criteria or rating.item not in batch.placings:
            continue
        try:
            scales.check(criteria[rating.criterion], rating.value)
        except DataError as error:
            where = f"batch {batch.name}, rater {rating.rater}, item {rating.item}"
            raise DataError(error.what, where=where, hint=_HINT) from error
        yield rating


def adjudicated(batch: Batch, ratings: Iterable[Rating]) -> ByItem:
    """Each rater's values, with what was settled in their place.

    * Hidden repeats are left out.
    * Where raters differ on a criterion, what was settled last replaces the values of all who
      answered it; where they agree there was nothing to settle.
    * A settled value may bring up a question that a rater was not asked. What was settled of that
      one, too, holds for all whom it concerns now.
    * A value left over from a criterion that is no longer asked is dropped.

    Args:
        ratings: of raters, and of those who settled.

    Raises:
        DataError: a value that its scale does not know (:func:`checked`).
    """
    by_item, settled = _parted(batch, ratings)
    for item, values in settled.items():
        if item in by_item:
            _settle(batch.rubric, by_item[item], values)
    return by_item


def complete(batch: Batch, ratings: Iterable[Rating]) -> ByItem:
    """The same, of the items alone that a rater has answered whole (complete cases).

    Half an item would give a score in which just the easy questions count. What a rater was asked
    decides that, and not what was settled afterwards: that may bring up a question, and nobody
    can be blamed for not having answered it.
    """
    ratings = list(ratings)
    before, _ = _parted(batch, ratings)
    whole_items: ByItem = {}
    for item, raters in adjudicated(batch, ratings).items():
        whole = [name for name in raters if not missing(batch.rubric, before[item][name])]
        if whole:
            whole_items[item] = {name: raters[name] for name in whole}
    return whole_items


def _parted(batch: Batch, ratings: Iterable[Rating]) -> tuple[ByItem, dict[str, dict[str, Any]]]:
    """What raters gave to what they were asked, and, item by item, what was settled last."""
    by_item: ByItem = defaultdict(lambda: defaultdict(dict))
    settled: dict[str, dict[str, Any]] = defaultdict(dict)
    for rating in sorted(checked(batch, ratings), key=lambda rating: (rating.at, rating.rater)):
        if batch.placings[rating.item].repeat_of is not None:
            continue
        if rating.rater.startswith(SETTLED):
            settled[rating.item][rating.criterion] = rating.value
        else:
            by_item[rating.item][rating.rater][rating.criterion] = rating.value
    for raters in by_item.values():
        for values in raters.values():
            _drop_unasked(batch.rubric, values)
    return {item: dict(raters) for item, raters in by_item.items()}, settled


def _settle(rubric: Rubric, raters: Mapping[str, dict[str, Any]], settled: Values) -> None:
    """Put what was settled of an item in the place of what its raters differ on."""
    before = {rater: _asked(rubric, values) for rater, values in raters.items()}
    for criterion, value in settled.items():
        answered = [values for values in raters.values() if criterion in values]
        if any(values[criterion] != answered[0][criterion] for values in answered):
            for values in answered:
                values[criterion] = value
    for _ in rubric.criteria:  # a question that comes up may bring up another one
        now = {rater: _asked(rubric, values) for rater, values in raters.items()}
        new = {criterion for rater, asked in now.items() for criterion in asked - before[rater]}
        for rater, values in raters.items():
            for criterion in new & now[rater] & settled.keys():
                values[criterion] = settled[criterion]
    for values in raters.values():
        _drop_unasked(rubric, values)


def _asked(rubric: Rubric, values: Values) -> set[str]:
    return {criterion.id for criterion in asked_criteria(rubric, values)}


def _drop_unasked(rubric: Rubric, values: dict[str, Any]) -> None:
    for name in values.keys() - _asked(rubric, values):
        del values[name]


# -- error categories ---------------------------------------------------------------------------


def category_criteria(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria whose choices name a category of errors."""
    return tuple(criterion for criterion in rubric.criteria if criterion.use_as == "error_category")


def choices_in(value: Any) -> set[str]:
    """The choices in a value of kind ``choice`` or ``choices``; none in *cannot judge*."""
    if isinstance(value, str):
        return {value}
    return set(value) if isinstance(value, (list, tuple)) else set()


# -- scores -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """One number that a rater's values of an item come to.

    Attributes:
        criterion: its id, or "" for the overall score.
    """

    rubric: Rubric
    criterion: str
    title: str

    def value(self, values: Values) -> float | None:
        """In 0..1, 1 being best (for pairs the preference for A); None where there is none."""
        if self.criterion == OVERALL:
            return scoring.overall(self.rubric, values)
        for criterion in asked_criteria(self.rubric, values):
            if criterion.id == self.criterion:
                return scoring.normal(criterion, values.get(criterion.id))
        return None


def columns(rubric: Rubric) -> list[Column]:
    """The overall score, and each counted criterion where the two may differ."""
    counted = [criterion for criterion in rubric.criteria if criterion.scores]
    fails = any(criterion.fail_below is not None for criterion in rubric.criteria)
    if len(counted) == 1 and not fails:
        return [Column(rubric, OVERALL, counted[0].title)]
    each = [Column(rubric, criterion.id, criterion.title) for criterion in counted]
    return [Column(rubric, OVERALL, "Overall"), *each]


class ScoredItems:
    """The scores of a batch's items, by the raters who have answered an item whole.

    Attributes:
        values: item -> rater -> criterion -> value; every item that is no repeat has a place.
    """

    def __init__(self, batch: Batch, ratings: Iterable[Rating]) -> None:
        """Raises DataError for a value that its scale does not know."""
        whole_items = complete(batch, ratings)
        self.values: ByItem = {item: whole_items.get(item, {}) for item in batch.originals}

    def mean(self, column: Column, item: str) -> float | None:
        """An item's score, raters averaged."""
        return mean([column.value(values) for values in self.values[item].values()])

    def pair(self, column: Column, items: tuple[str, str]) -> tuple[float, float] | None:
        """The scores of two items by those who scored both, averaged; None without anybody.

        Whoever scored only one of them would add a severity of their own.
        """
        first, second = (self.values[item] for item in items)
        pairs = []
        for rater in first.keys() & second.keys():
            old, new = column.value(first[rater]), column.value(second[rater])
            if old is not None and new is not None:
                pairs.append((old, new))
        if not pairs:
            return None
        # fsum rounds once, so the order of raters makes no difference.
        old_mean = math.fsum(old for old, _ in pairs) / len(pairs)
        return old_mean, math.fsum(new for _, new in pairs) / len(pairs)


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known."""
    numbers = [value for value in values if value is not None]
    return clean(math.fsum(numbers) / len(numbers)) if numbers else None


def clean(value: float) -> float:
    """A value in 0..1 with 14 places, so that rounding makes no difference between two of them."""
    return round(value, 14)
