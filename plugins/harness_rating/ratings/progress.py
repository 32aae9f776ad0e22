"""How far a batch is, what its ratings can show, and where raters disagree."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness import Criterion
from harness_rating.batches.records import Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import ItemState
from harness_rating.ratings.resolved import adjudicated
from harness_rating.rubric.scoring import normal

SPREAD = 0.25
"""Assumed standard deviation of an example's difference in the overall rating (0 to 1)."""
SPREAD_OF_PAIRS = 0.5
"""The greatest that a preference (1, tie 0.5, 0) can have."""
APART = 0.5
"""Values of 0 to 1 that lie so far apart are a disagreement worth settling."""
_NO_VERDICT = {
    "worst": "the worst answers",
    "disagreement": "answers that metrics disagree on",
    "changed": "answers that changed",
}


@dataclass(frozen=True, slots=True)
class RaterStatus:
    """How far one rater is.

    Attributes:
        seconds: median time on an item that is done; None where none is.
        comments: item id -> comment.
        last: time of the last event, or empty.
    """

    rater: str
    assigned: int
    done: int
    skipped: int
    flagged: tuple[str, ...]
    comments: Mapping[str, str]
    seconds: float | None
    last: str


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is.

    Attributes:
        items: without repeats.
        rated: items that somebody is done with.
        several: items that two raters or more are done with, of ``planned_several``.
    """

    batch: str
    run: str
    strategy: str
    created: str
    verdicts: bool
    items: int
    rated: int
    several: int
    planned_several: int
    raters: tuple[RaterStatus, ...]


def status(batch: Batch, folder: RatingsFolder) -> BatchStatus:
    """How far the batch is.

    Raises:
        DataError: a line of a rater's file is damaged.
    """
    states = {rater: folder.state(batch, rater).items for rater in batch.raters}
    done: Counter[str] = Counter()
    for items in states.values():
        done.update({batch.original(state.item) for state in items if state.status == "done"})
    return BatchStatus(
        batch.name, batch.run, batch.strategy, batch.created, batch.verdicts,
        len(batch.originals), len(done),
        sum(count > 1 for count in done.values()), len(_several(batch)),
        tuple(_of_rater(rater, items) for rater, items in states.items()),
    )  # fmt: skip


def _of_rater(rater: str, states: Sequence[ItemState]) -> RaterStatus:
    done = [state for state in states if state.status == "done"]
    times = [state.seconds for state in done if state.seconds is not None]
    return RaterStatus(
        rater, len(states), len(done), sum(state.status == "skipped" for state in states),
        tuple(state.item for state in states if state.flagged),
        {state.item: state.comment for state in states if state.comment},
        round(statistics.median(times), 1) if times else None,
        max((state.at for state in states), default=""),
    )  # fmt: skip


def expectation(batch: Batch, level: float = 0.95) -> list[str]:
    """What the ratings of this batch will be able to show, said before they are there.

    Args:
        level: confidence of the verdict's one-sided bounds (:func:`harness.stats.decision.level`).
    """
    from harness.stats import detectable, effective_groups
    from harness.stats.decision import usable

    group_of = {placing.example_id: placing.group for placing in batch.placings.values()}
    groups = list(group_of.values())
    sentences = [
        f"{len(groups)} examples from {len(set(groups))} groups.",
        _shared_sentence(batch),
    ]
    if not batch.verdicts:
        which = _NO_VERDICT.get(batch.strategy, "a chosen part")
        sentences.append(
            f"This sample holds {which}: it is for finding errors and gives no verdict, since "
            "it is not representative of the whole set."
        )
        return sentences
    doubt = usable(groups)
    if doubt:
        sentences.append(f"A verdict will not be possible: {doubt}.")
        return sentences
    worth = effective_groups(groups)
    spread = SPREAD_OF_PAIRS if batch.rubric.pairwise else SPREAD
    least = detectable(spread / worth**0.5, level, worth)
    sentences.append(_detectable_sentence(batch, least, spread, level))
    return sentences


def _shared_sentence(batch: Batch) -> str:
    """How agreement and self-consistency will be known, if at all."""
    several = len(_several(batch))
    if several:
        shared = f"{several} items are rated by several raters, so that agreement can be computed"
    else:
        shared = "No item is rated by several raters, so no agreement can be computed"
    repeats = len(batch.placings) - len(batch.originals)
    return f"{shared}; {repeats} come a second time." if repeats else f"{shared}."


def _several(batch: Batch) -> set[str]:
    """Items that several raters get."""
    planned: Counter[str] = Counter()
    for items in batch.assignments.values():
        planned.update({batch.original(item) for item in items})
    return {item for item, count in planned.items() if count > 1}


def _detectable_sentence(batch: Batch, least: float, spread: float, level: float) -> str:
    if batch.rubric.pairwise:
        what = f"A share of wins that is {least:.2f} or more above one half"
        assumed = f"preferences spread as widely as they can (standard deviation {spread:g})"
    else:
        what = f"A true difference of {least:.2f} or more in the overall rating (0 to 1)"
        assumed = (
            f"the difference between two answers to one example has a standard deviation of "
            f"{spread:g}"
        )
    between = ""
    if len(batch.rounds) < 2:
        between = " between this round and another one rated on the same examples"
    return (
        f"{what}{between} would be found with 80 % power (one-sided at {100 * level:.3g} %), "
        f"if {assumed} and examples of one group count as one; a smaller one would probably be "
        "missed."
    )


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One criterion of one item on which raters differ.

    Attributes:
        values: what was said, without names, in an order that tells nothing.
        apart: distance between the extreme values, 0 to 1; 1 where values have no distance.
        settled: the value that was settled on, if it was; ``by`` is who did it.
    """

    item: str
    criterion: str
    values: tuple[Any, ...]
    apart: float
    is_settled: bool = False
    settled: Any = None
    by: str = ""


def disagreements(
    batch: Batch, folder: RatingsFolder, *, apart: float = APART
) -> list[Disagreement]:
    """Where raters differ, the widest first: for settling with the names hidden.

    Args:
        apart: values on a scale count as different from this distance on (of 0 to 1); choices
            and "cannot judge" differ whenever they are not equal.
    """
    values_of: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for item, raters in adjudicated(batch, folder.ratings(batch)).items():
        for of_rater in raters.values():
            for name, value in of_rater.items():
                values_of[item, name].append(value)
    settled = {
        (rating.item, rating.criterion): rating
        for rating in sorted(folder.settled(batch), key=lambda rating: rating.at)
    }  # the last one of each
    differing = []
    for (item, name), values in values_of.items():
        criterion = batch.rubric.criterion(name)
        if len(values) < 2 or criterion.scale.kind == "text":
            continue
        distance = _distance(criterion, values)
        if distance == 0 or distance < apart:
            continue
        disagreement = Disagreement(item, name, tuple(sorted(values, key=repr)), distance)
        if rating := settled.get((item, name)):
            disagreement = replace(
                disagreement, is_settled=True, settled=rating.value, by=rating.rater
            )
        differing.append(disagreement)
    differing.sort(key=lambda each: (-each.apart, each.item, each.criterion))
    return differing


def _distance(criterion: Criterion, values: Sequence[Any]) -> float:
    """Distance between the extreme values, 0 to 1; 1 where differing values have no distance."""
    numbers = [normal(criterion, value) for value in values]
    places_known = [number for number in numbers if number is not None]
    if len(places_known) == len(values):
        return max(places_known) - min(places_known)
    return float(any(value != values[0] for value in values))
