"""What a rating batch is made of: plain, frozen, slotted, free of behaviour.

A :class:`Batch` is private and written once. An :class:`Item` is all that a rater may see;
what it hides (which example, which round) is its :class:`Placing`. Raters only ever add
:class:`Event` lines; a :class:`Rating` is what the events come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness import BASE_ARM, Item, Rubric

FOLDER = Path(".harness", "ratings")
"""Where the batches of a working folder lie, each in a folder of its name."""

BATCH_SCHEMA = "harness.batch/1"
ITEMS_SCHEMA = "harness.items/1"

REVIEW = "review"
"""The strategy of a batch of rows, which are reviewed and not rated."""

Kind = Literal["set", "clear", "skip", "flag", "comment", "done"]
KINDS: tuple[Kind, ...] = ("set", "clear", "skip", "flag", "comment", "done")
ITEM_EVENT = ""
"""The criterion of an event that is about the whole item (skip, flag, comment, done)."""

SETTLED = "settled-"
"""How the names of those begin who settle what raters disagree on; no rater's may."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where an item came from; never leaves ``batch.json``.

    Attributes:
        item: the item's opaque id.
        rounds: the round of each answer, in the order shown.
        group: rows that must stay together in statistics.
        repeat_of: the item that this one shows a second time to the same rater, or None.
        live: what is known of a row that users asked; empty for rows of the data.
    """

    item: str
    example_id: str
    arm: str = BASE_ARM
    rounds: tuple[int, ...] = ()
    split: str = "dev"
    group: str = ""
    repeat_of: str | None = None
    live: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """A frozen plan of who rates what.

    Attributes:
        name: ``<rubric id>-<8 hex of the content>``.
        run: the run whose answers are rated.
        assignments: rater -> ids of items, in the order of showing.
        items: every item, repeats included, in no telling order.
        placings: item id -> where it came from.
        created: ISO date.
        verdicts: whether its ratings may decide between rounds; only random and stratified
            samples stand for the whole set.
    """

    name: str
    run: str
    rubric: Rubric
    strategy: str
    seed: int
    raters: tuple[str, ...]
    assignments: Mapping[str, tuple[str, ...]]
    items: tuple[Item, ...]
    placings: Mapping[str, Placing]
    created: str
    verdicts: bool

    @property
    def rubric_name(self) -> str:
        """``<id>/<version>``, as files that leave the harness name a rubric."""
        return f"{self.rubric.id}/{self.rubric.version}"

    @property
    def by_id(self) -> dict[str, Item]:
        """Item id -> item."""
        return {item.id: item for item in self.items}

    @property
    def originals(self) -> list[str]:
        """The items that are no hidden repeats."""
        return [item for item, placing in self.placings.items() if placing.repeat_of is None]

    @property
    def rounds(self) -> list[int]:
        """The rounds whose answers are rated."""
        return sorted({number for placing in self.placings.values() for number in placing.rounds})

    def original(self, item: str) -> str:
        """The item that a hidden repeat shows again, or the item itself."""
        return self.placings[item].repeat_of or item

    def group(self, item: str) -> str:
        """The group of an item's example, which is itself where it has none."""
        placing = self.placings[item]
        return placing.group or placing.example_id


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a rater did; only ever appended.

    Attributes:
        id: 32 hex digits (uuid4); an id that comes twice counts once.
        criterion: a criterion's id, or "" for what is about the whole item.
        kind: ``set`` and ``clear`` a criterion's value; ``skip``, ``flag``, ``comment`` and
            ``done`` mark the item (value False takes a mark back; a comment's value is text).
        value: a JSON scalar or a list of texts; None in a ``set`` means "cannot judge".
        at: ISO UTC with milliseconds, ``2026-11-25T15:30:00.123Z``; texts of this form sort
            by time.
        seconds: time on the item so far, all visits together, or None; the largest counts.
    """

    id: str
    rater: str
    item: str
    criterion: str
    kind: Kind
    value: Any = None
    at: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """A rater's standing answer to one criterion of one item.

    Attributes:
        value: as in the event; None says "cannot judge".
    """

    rater: str
    item: str
    criterion: str
    value: Any
    at: str
