"""From events to ratings, and to how far a rater is.

The fold knows only the events' times and ids, so that any interleaving of two tabs, any order of
reading and any line that comes twice give the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness import Rubric, to_json
from harness.kit.files import canonical
from harness_rating.batches.records import Event, Rating
from harness_rating.rubric import scoring


def ordered(events: Iterable[Event]) -> list[Event]:
    """The events by time, each id once, whatever order they came in."""
    events = list(events)
    by_id: dict[str, Event] = {}
    if len({event.id for event in events}) < len(events):
        # Which of two events of one id counts must not hang on the order that they came in.
        events.sort(key=lambda event: canonical(to_json(event)))
    for event in sorted(events, key=lambda event: (event.at, event.id)):
        by_id.setdefault(event.id, event)
    return list(by_id.values())


def fold(events: Iterable[Event]) -> dict[tuple[str, str], Rating]:
    """(item, criterion) -> the standing rating of one rater: the last ``set`` wins."""
    ratings: dict[tuple[str, str], Rating] = {}
    for event in ordered(events):
        place = (event.item, event.criterion)
        if event.kind == "set":
            value = tuple(event.value) if isinstance(event.value, list) else event.value
            ratings.pop(place, None)
            ratings[place] = Rating(event.rater, *place, value, event.at)
        elif event.kind == "clear":
            ratings.pop(place, None)
    return ratings


@dataclass(frozen=True, slots=True)
class ItemState:
    """How far one rater is with one item.

    Attributes:
        status: ``done`` once every criterion that must be answered is.
        values: criterion -> value.
        seconds: time spent on it; None where that is not known.
        at: when the last event of it happened; empty where nothing has.
    """

    item: str
    status: Literal["open", "done", "skipped"] = "open"
    flagged: bool = False
    comment: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """How far one rater is, items in the order of showing."""

    rater: str
    items: tuple[ItemState, ...]

    def count(self, status: str) -> int:
        """Items that are ``open``, ``done`` or ``skipped``."""
        return sum(item.status == status for item in self.items)

    @property
    def flagged(self) -> int:
        return sum(item.flagged for item in self.items)


def item_state(rubric: Rubric, item: str, events: Sequence[Event]) -> ItemState:
    """What one rater's events of an item, in order, come to."""
    marks: dict[str, Any] = {}
    for event in events:
        if event.kind in ("skip", "done", "flag", "comment"):
            marks[event.kind] = event.value
        if event.kind in ("set", "done"):
            marks["skip"] = False
        elif event.kind == "clear":
            marks["done"] = False
    values = {criterion: rating.value for (_, criterion), rating in fold(events).items()}
    seconds = [event.seconds for event in events if event.seconds is not None]
    return ItemState(
        item, _status(rubric, values, marks), _is_set(marks, "flag"), marks.get("comment") or "",
        values, max(seconds, default=None), events[-1].at if events else "",
    )  # fmt: skip


def _status(
    rubric: Rubric, values: Mapping[str, Any], marks: Mapping[str, Any]
) -> Literal["open", "done", "skipped"]:
    # Where a rubric requires nothing, an item is done when the rater says so.
    requires = any(criterion.required for criterion in scoring.asked_criteria(rubric, values))
    if not scoring.missing(rubric, values) and (requires or _is_set(marks, "done")):
        return "done"
    return "skipped" if _is_set(marks, "skip") else "open"


def _is_set(marks: Mapping[str, Any], kind: str) -> bool:
    return marks.get(kind, False) is not False  # False takes a mark back, None stands for one
