"""How far a batch is, what its ratings can show, and where raters disagree."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import Criterion
from harness_rating.batches.records import Batch, Rating
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
        tuple(_of_rater(rater, found) for rater, found in states.items()),
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

    groups = [*{one.example_id: one.group for one in batch.placings.values()}.values()]
    told = [f"{len(groups)} examples from {len(set(groups))} groups.", _shared_sentence(batch)]
    if not batch.verdicts:
        which = _NO_VERDICT.get(batch.strategy, "a chosen part")
        told.append(
            f"This sample holds {which}: it is for finding errors and gives no verdict, since "
            "it is not representative of the whole set."
        )
        return told
    doubt = usable(groups)
    if doubt:
        return [*told, f"A verdict will not be possible: {doubt}."]
    worth = effective_groups(groups)
    spread = SPREAD_OF_PAIRS if batch.rubric.pairwise else SPREAD
    least = detectable(spread / worth**0.5, level, worth)
    told.append(_detectable_sentence(batch, least, spread, level))
    return told


def _shared_sentence(batch: Batch) -> str:
    """How agreement and self-consistency will be known, if at all."""
    several = len(_several(batch))
    shared = f"{several} items are rated by several raters, so that agreement can be computed"
    if not several:
        shared = "No item is rated by several raters, so no agreement can be computed"
    repeats = len(batch.placings) - len(batch.originals)
    return f"{shared}; {repeats} come a second time." if repeats else f"{shared}."


def _several(batch: Batch) -> set[str]:
    """Items that several raters get."""
    planned: Counter[str] = Counter()
    for shown in batch.assignments.values():
        planned.update({batch.original(item) for item in shown})
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
    between = (
        ""
        if len(batch.rounds) > 1
        else " between this round and another one rated on the same examples"
    )
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
    given: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for item, raters in adjudicated(batch, folder.ratings(batch)).items():
        for values in raters.values():
            for criterion, value in values.items():
                given[item, criterion].append(value)
    ended = sorted(folder.settled(batch), key=lambda one: one.at)
    after = {(one.item, one.criterion): one for one in ended}
    found = list(_differing(batch, given, after, apart))
    return sorted(found, key=lambda one: (-one.apart, one.item, one.criterion))


def _differing(
    batch: Batch, given: Mapping[tuple[str, str], Sequence[Any]],
    after: Mapping[tuple[str, str], Rating], apart: float,
) -> Iterator[Disagreement]:  # fmt: skip
    for (item, name), values in given.items():
        criterion = batch.rubric.criterion(name)
        if len(values) < 2 or criterion.scale.kind == "text":
            continue
        distance = _apart(criterion, values)
        if distance > 0 and distance >= apart:
            end = after.get((item, name))
            yield Disagreement(
                item, name, tuple(sorted(values, key=repr)), distance, end is not None,
                None if end is None else end.value, "" if end is None else end.rater,
            )  # fmt: skip


def _apart(criterion: Criterion, values: Sequence[Any]) -> float:
    numbers = [number for one in values if (number := normal(criterion, one)) is not None]
    if len(numbers) == len(values):
        return max(numbers) - min(numbers)
    return float(any(one != values[0] for one in values))
