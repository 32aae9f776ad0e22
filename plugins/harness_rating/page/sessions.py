"""What a seat's rater may read and write, kept in memory beside the files."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import DataError, Item, Rubric
from harness_rating.batches.records import SETTLED, Batch, Event
from harness_rating.page import payloads
from harness_rating.page.tokens import Seat
from harness_rating.ratings.events import Events, later, now
from harness_rating.ratings.folding import item_state, ordered

Answer = tuple[int, Any]
"""Status and JSON body."""
MOST_EVENTS = 200
"""Events of one request."""
DAY = 86_400_000
"""Milliseconds by which a page's time may be ahead of ours."""
AHEAD = "its time is more than a day ahead; please reload the page"
OTHER = "it is known already, with another content"


class RaterSession:
    """One rater at one batch.

    Args:
        root: where the batches lie.
        items: every item of the batch by its id.
        values: item -> what raters gave, for who settles it; nobody else may see it.
    """

    def __init__(
        self,
        root: Path,
        batch: Batch,
        rater: str,
        items: Mapping[str, Item],
        values: Mapping[str, payloads.RaterValues],
    ) -> None:
        self.batch, self.rater = batch, rater
        self.shown = batch.assignments.get(rater, ())
        self._items = {name: items[name] for name in self.shown}
        self._values = values if rater.startswith(SETTLED) else {}
        self._events = Events(root / batch.name, rater)
        self._by_item: dict[str, list[Event]] = {}
        self._by_id: dict[str, Event] = {}
        self._newest = ""
        self._status: dict[str, str] = {}
        self._mutex = threading.Lock()
        self._refresh()

    def state(self) -> Answer:
        """What the page starts from: the rubric, the order of items, what the rater did.

        The item that is shown first comes with it, so that it need not be asked for.
        """
        with self._mutex:
            self._refresh()
            events = [event for of_item in self._by_item.values() for event in of_item]
            open_items = [name for name in self.shown if self._status.get(name, "open") == "open"]
        return 200, {
            "batch": self.batch.name,
            "rater": self.rater,
            "rubric": payloads.rubric(self.batch),
            "items": list(self.shown),
            "events": [payloads.event(event) for event in events],
            "texts": [self.item(name)[1] for name in open_items[:1]],
            "only": {item: list(criteria) for item, criteria in self._values.items()},
            "now": now(),
        }

    def item(self, identifier: str) -> Answer:
        """One of the rater's items; its references once they may be seen."""
        item = self._items.get(identifier)
        if item is None:
            return 404, {"error": "there is no such item here"}
        return 200, payloads.item(
            item,
            self.batch.rubric,
            reference=self._may_see(identifier),
            values=self._values.get(identifier),
        )

    def take(self, events: list[Event]) -> dict[str, str]:
        """Keep events; they are on the disk when this returns.

        Returns:
            id -> why it was not kept, where it was not.
        """
        with self._mutex:
            # The latest time that is believed: a page goes by this clock, or by its own events.
            # One that is years ahead would win against all that the rater does until then.
            latest = later(max(now(), self._newest), DAY)
            refused = {event.id: AHEAD for event in events if event.at > latest}
            fresh: dict[str, Event] = {}
            for event in events:
                if event.id not in self._by_id and event.id not in refused:
                    fresh.setdefault(event.id, event)
            if fresh and self._events.extend(list(fresh.values())) < len(fresh):
                self._refresh()  # another process has written some of them
            elif fresh:
                self._add(fresh.values())
            for event in events:
                # An id that comes twice with one content is a request that was sent again.
                if self._by_id.get(event.id, event) != event:
                    refused[event.id] = OTHER
            return refused

    def _asks(self, identifier: str) -> Rubric:
        """The rubric as it is asked about an item."""
        rubric, disputed = self.batch.rubric, self._values.get(identifier)
        if disputed is None:
            return rubric
        # Who settles is asked what raters disagree on, and nothing else.
        criteria = [
            replace(criterion, ask_if=None)
            for criterion in rubric.criteria
            if criterion.id in disputed
        ]
        return replace(rubric, criteria=tuple(criteria))

    def _may_see(self, identifier: str) -> bool:
        when = self.batch.rubric.show.reference
        with self._mutex:
            scored = any(event.kind == "set" for event in self._by_item.get(identifier, ()))
        return when == "always" or (when == "after_first_score" and scored)

    def _refresh(self) -> None:
        events = self._events.all()
        self._by_item, self._by_id = {}, {}
        self._add(events)

    def _add(self, events: Iterable[Event]) -> None:
        touched = set()
        for event in events:
            self._by_item.setdefault(event.item, []).append(event)
            self._by_id[event.id] = event
            self._newest = max(self._newest, event.at)
            touched.add(event.item)
        for item in touched & self._items.keys():
            state = item_state(self._asks(item), item, ordered(self._by_item[item]))
            self._status[item] = state.status


class RatingService:
    """All sessions of the batches that are served.

    Args:
        values: item -> what raters gave, for sessions whose rater settles.
    """

    def __init__(
        self,
        root: Path,
        batches: Iterable[Batch],
        values: Mapping[str, payloads.RaterValues] | None = None,
    ) -> None:
        self._root, self._values = root, values or {}
        self._batches = {batch.name: batch for batch in batches}
        self._items = {name: batch.by_id for name, batch in self._batches.items()}
        self._sessions: dict[Seat, RaterSession] = {}
        self._mutex = threading.Lock()

    def batch(self, seat: Seat) -> Batch:
        return self._batches[seat.batch]

    def session(self, seat: Seat) -> RaterSession:
        """The session of a seat.

        Raises:
            DataError: the rater's file is damaged.
        """
        with self._mutex:
            if seat not in self._sessions:
                batch, items = self._batches[seat.batch], self._items[seat.batch]
                self._sessions[seat] = RaterSession(
                    self._root, batch, seat.rater, items, self._values
                )
            return self._sessions[seat]

    def state(self, seat: Seat) -> Answer:
        return self.session(seat).state()

    def item(self, seat: Seat, identifier: str) -> Answer:
        return self.session(seat).item(identifier)

    def take(self, seat: Seat, body: bytes) -> Answer:
        """Keep what a browser sends: ``{"events": [...]}``.

        Good events are kept even where others of the same request are refused, so that one bad
        event cannot hold up the rest. Where a browser holds the link of another rater by now,
        nothing is taken: the page keeps it until its own rater is back.
        """
        try:
            sent = _sent(body)
        except DataError as error:
            return 400, {"error": error.what}
        if any(payloads.claimed_rater(data, seat.rater) != seat.rater for data in sent):
            return 409, {"error": "this was made by another rater"}
        session = self.session(seat)
        good: list[Event] = []
        refused: list[dict[str, str]] = []
        for data in sent:
            try:
                good.append(payloads.read_event(session.batch, seat.rater, data))
            except DataError as error:
                refused.append({"id": payloads.claimed_id(data), "why": error.what})
        not_kept = session.take(good) if good else {}
        refused += [{"id": identifier, "why": why} for identifier, why in not_kept.items()]
        saved = [event.id for event in good if event.id not in not_kept]
        return 200 if saved else 422, {
            "saved": saved,
            "refused": refused,
            "at": now(),
        }


def _sent(body: bytes) -> list[Any]:
    document = payloads.read_body(body)
    if not isinstance(document, dict) or document.keys() != {"events"}:
        raise DataError('what is sent looks like {"events": [...]}')
    events = document["events"]
    if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
        raise DataError(f"events are a list of 1 to {MOST_EVENTS}")
    return events
