"""What raters' values come to, item by item: the one place that says which of them count.

Agreement is computed from what each rater said; everything else (scores, verdicts, kinds of
errors, validity, a judge's calibration) from what stands here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from harness import Rubric
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.rubric.scoring import asked, missing

Values = Mapping[str, Any]
"""Criterion -> value."""
Said = dict[str, dict[str, dict[str, Any]]]
"""Item -> rater -> criterion -> value."""


def said(batch: Batch, ratings: Iterable[Rating]) -> Said:
    """What stands of each rater's values.

    * Hidden repeats are left out.
    * Where raters differ on a criterion, what was settled last stands for all who answered it;
      where they agree there was nothing to settle.
    * A settled value may bring up a question that a rater was not asked. What was settled of that
      one, too, stands for all whom it concerns now.
    * A value left over from a criterion that is no longer asked is dropped.

    Args:
        ratings: of raters, and of those who settled
        (:func:`harness_rating.ratings.events.settled`).
    """
    given, final = _parted(batch, ratings)
    for item, raters in given.items():
        _settle(batch.rubric, raters, final.get(item, {}))
    return given


def complete(batch: Batch, ratings: Iterable[Rating]) -> Said:
    """The same, of the items alone that a rater has answered whole.

    Half an item would give a score in which just the easy questions count. What a rater was asked
    decides that, and not what was settled afterwards: that may bring up a question, and nobody
    can be blamed for not having answered it.
    """
    ratings = list(ratings)
    given, _ = _parted(batch, ratings)
    found: Said = {}
    for item, raters in said(batch, ratings).items():
        whole = [name for name in raters if not missing(batch.rubric, given[item][name])]
        if whole:
            found[item] = {name: raters[name] for name in whole}
    return found


def _parted(batch: Batch, ratings: Iterable[Rating]) -> tuple[Said, dict[str, dict[str, Any]]]:
    """What raters said to what they were asked, and, item by item, what was settled last."""
    given: Said = defaultdict(lambda: defaultdict(dict))
    final: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in sorted(ratings, key=lambda one: (one.at, one.rater)):
        if batch.placings[one.item].repeat_of is not None:
            continue
        if one.rater.startswith(SETTLED):
            final[one.item][one.criterion] = one.value
        else:
            given[one.item][one.rater][one.criterion] = one.value
    for raters in given.values():
        for values in raters.values():
            _drop_unasked(batch.rubric, values)
    return {item: dict(raters) for item, raters in given.items()}, final


def _settle(rubric: Rubric, raters: Mapping[str, dict[str, Any]], final: Values) -> None:
    before = {name: _asked(rubric, values) for name, values in raters.items()}
    for criterion, value in final.items():
        given = [values for values in raters.values() if criterion in values]
        if any(values[criterion] != given[0][criterion] for values in given):
            for values in given:
                values[criterion] = value
    for _ in rubric.criteria:  # a question that comes up may bring up another one
        now = {name: _asked(rubric, values) for name, values in raters.items()}
        new = {criterion for name, names in now.items() for criterion in names - before[name]}
        for name, values in raters.items():
            values.update({one: final[one] for one in new & now[name] & final.keys()})
    for values in raters.values():
        _drop_unasked(rubric, values)


def _asked(rubric: Rubric, values: Values) -> set[str]:
    return {criterion.id for criterion in asked(rubric, values)}


def _drop_unasked(rubric: Rubric, values: dict[str, Any]) -> None:
    for name in values.keys() - _asked(rubric, values):
        del values[name]
