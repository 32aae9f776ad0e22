"""Reviewers who need no page: what they do is on the disk at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness_rating.batches.records import Batch, Event
from harness_rating.ratings.events import Events, now
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating.material import event_id

RATINGS = Path(".harness") / "ratings"
Says = Callable[[str, int], Mapping[str, str]]
"""The answer of a row and its number among the reviewer's -> criterion -> value."""


def batches(folder: Path) -> list[Batch]:
    ratings = RatingsFolder(folder / RATINGS)
    return [ratings.batch(name) for name in ratings.names()]


def decide(folder: Path, batch: Batch, rater: str, says: Says) -> None:
    """Everything that a reviewer says of all rows that are assigned to them."""
    told = [
        (item, criterion, value)
        for number, item in enumerate(batch.assignments[rater])
        for criterion, value in says(batch.by_id[item].answers[0], number).items()
    ]
    events = [
        Event(event_id(), rater, item, criterion, "set", value, now(), 2.0)
        for item, criterion, value in told
    ]
    Events(folder / RATINGS / batch.name, rater).extend(events)


def accept(answer: str, number: int) -> Mapping[str, str]:
    return {"decision": "accept"}


def mixed(answer: str, number: int) -> Mapping[str, str]:
    """The first row is edited, the second and third are rejected, all others accepted."""
    if number == 0:
        return {"decision": "edit", "answer": f"{answer} indeed"}
    if number < 3:
        return {"decision": "reject", "reason": "wrong answer"}
    return {"decision": "accept"}
