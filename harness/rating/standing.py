"""What raters' values come to, item by item: the one place that says which of them count.

Agreement is computed from what each rater said; everything else (scores, verdicts, kinds of
errors, validity, a judge's calibration) from what stands here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from harness.rating.records import SETTLED, Batch, Rating
from harness.rating.rubric import Rubric, asked, missing

Values = Mapping[str, Any]
"""Criterion -> value."""
Said = dict[str, dict[str, dict[str, Any]]]
"""Item -> rater -> criterion -> value."""


def said(batch: Batch, ratings: Iterable[Rating]) -> Said:
    """What stands of each rater's values.

    * Hidden repeats are left out.
    * Where raters differ on a criterion, what was settled last stands for all who answered it;
      where they agree there was nothing to settle.
    * A value left over from a criterion that is no longer asked is dropped.

    Args:
        ratings: of raters, and of those who settled (:func:`harness.rating.events.settled`).
    """
    found: Said = defaultdict(lambda: defaultdict(dict))
    final: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in sorted(ratings, key=lambda one: (one.at, one.rater)):
        if batch.placings[one.item].repeat_of is not None:
            continue
        if one.rater.startswith(SETTLED):
            final[one.item][one.criterion] = one.value
        else:
            found[one.item][one.rater][one.criterion] = one.value
    for item, raters in found.items():
        _settle(raters, final.get(item, {}))
        for values in raters.values():
            _drop_unasked(batch.rubric, values)
    return {item: dict(raters) for item, raters in found.items()}


def complete(batch: Batch, ratings: Iterable[Rating]) -> Said:
    """The same, of the items alone that a rater has answered whole.

    Half an item would give a score in which just the easy questions count.
    """
    whole = {
        item: {r: values for r, values in raters.items() if not missing(batch.rubric, values)}
        for item, raters in said(batch, ratings).items()
    }
    return {item: raters for item, raters in whole.items() if raters}


def _settle(raters: Mapping[str, dict[str, Any]], final: Values) -> None:
    for criterion, value in final.items():
        given = [values for values in raters.values() if criterion in values]
        if any(values[criterion] != given[0][criterion] for values in given):
            for values in given:
                values[criterion] = value


def _drop_unasked(rubric: Rubric, values: dict[str, Any]) -> None:
    kept = {criterion.id for criterion in asked(rubric, values)}
    for name in [name for name in values if name not in kept]:
        del values[name]
