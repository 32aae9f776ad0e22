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
from harness_rating.rubric import scoring as rubrics


def ordered(events: Iterable[Event]) -> list[Event]:
    """The events by time, each id once, whatever order they came in."""
    given = list(events)
    found: dict[str, Event] = {}
    if len({event.id for event in given}) < len(given):
        # Which of two events of one id counts must not hang on the order that they came in.
        given.sort(key=lambda one: canonical(to_json(one)))
    for event in sorted(given, key=lambda one: (one.at, one.id)):
        found.setdefault(event.id, event)
    return list(found.values())


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
    marks: dict[str, Any] = {}
    for event in events:
        if event.kind in ("skip", "done", "flag", "comment"):
            marks[event.kind] = event.value
        if event.kind in ("set", "done"):
            marks["skip"] = False
        elif event.kind == "clear":
            marks["done"] = False
    values = {criterion: rating.value for (_, criterion), rating in fold(events).items()}
    return ItemState(
        item, _status(rubric, values, marks), marks.get("flag", False) is not False,
        marks.get("comment") or "", values,
        max((e.seconds for e in events if e.seconds is not None), default=None),
        events[-1].at if events else "",
    )  # fmt: skip


def _status(
    rubric: Rubric, values: Mapping[str, Any], marks: Mapping[str, Any]
) -> Literal["open", "done", "skipped"]:
    """A rubric that requires nothing is done when the rater says so."""
    said = marks.get("done", False) is not False
    asks = any(criterion.required for criterion in rubrics.asked_criteria(rubric, values))
    if not rubrics.missing(rubric, values) and (said or asks):
        return "done"
    return "skipped" if marks.get("skip", False) is not False else "open"
