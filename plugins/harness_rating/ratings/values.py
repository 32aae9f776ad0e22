"""What raters gave, item by item: the values that count, and the columns they are read in.

Which values count is said in :mod:`harness_rating.ratings.resolved`; the ratings stay as they are.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import Rubric
from harness_rating.agreement.document import checked
from harness_rating.batches.records import Batch, Rating
from harness_rating.ratings import resolved
from harness_rating.rubric import scoring as rubrics

OVERALL = ""
"""The column of the overall score."""


@dataclass(frozen=True, slots=True)
class Column:
    """One number that a rater's values of an item come to.

    Attributes:
        criterion: its id, or "" for the overall score.
    """

    rubric: Rubric
    criterion: str
    title: str

    def value(self, values: Mapping[str, Any]) -> float | None:
        """In 0..1, 1 being best (for pairs the preference for A); None where there is none."""
        if self.criterion == OVERALL:
            return rubrics.overall(self.rubric, values)
        for criterion in rubrics.asked(self.rubric, values):
            if criterion.id == self.criterion:
                return rubrics.normal(criterion, values.get(criterion.id))
        return None


def columns(rubric: Rubric) -> list[Column]:
    """The overall score, and each counted criterion where the two may differ."""
    counted = [criterion for criterion in rubric.criteria if criterion.scores]
    fails = any(criterion.fail_below is not None for criterion in rubric.criteria)
    if len(counted) == 1 and not fails:
        return [Column(rubric, OVERALL, counted[0].title)]
    each = [Column(rubric, criterion.id, criterion.title) for criterion in counted]
    return [Column(rubric, OVERALL, "Overall"), *each]


class Given:
    """The values of a batch's items, of those raters who have answered an item whole.

    Attributes:
        said: item -> rater -> criterion -> value; every item that is no repeat has a place.
    """

    def __init__(self, batch: Batch, ratings: Iterable[Rating]) -> None:
        """Raises DataError for a value that its scale does not know."""
        found = resolved.complete(batch, checked(batch, ratings))
        self.said: dict[str, dict[str, dict[str, Any]]] = {
            item: found.get(item, {})
            for item, placing in batch.placings.items()
            if placing.repeat_of is None
        }

    def one(self, column: Column, item: str) -> float | None:
        """An item's value, raters averaged."""
        return mean([column.value(values) for values in self.said[item].values()])

    def both(self, column: Column, items: tuple[str, str]) -> tuple[float, float] | None:
        """The values of two items by those who gave both one, averaged; None without anybody.

        Whoever gave only one of them would bring in how severe he is.
        """
        one, other = (self.said[item] for item in items)
        pairs = []
        for rater in [rater for rater in one if rater in other]:
            first, second = column.value(one[rater]), column.value(other[rater])
            if first is not None and second is not None:
                pairs.append((first, second))
        if not pairs:
            return None
        old, new = (math.fsum(side) / len(pairs) for side in zip(*pairs, strict=True))
        return old, new


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [value for value in values if value is not None]
    return clean(math.fsum(known) / len(known)) if known else None


def clean(value: float) -> float:
    """A value in 0..1 with 14 places, so that rounding makes no difference between two of them."""
    return round(value, 14)
