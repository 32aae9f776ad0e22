"""Two rounds that one batch holds, matched example by example.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness_rating.batches.records import Batch, Placing
from harness_rating.ratings.values import Column, Given


@dataclass(frozen=True, slots=True)
class Two:
    """Two rounds of one arm.

    Attributes:
        items: example id -> the items of the earlier and the later answer; one item twice for
            pairs.
    """

    arm: str
    earlier: int
    later: int
    items: Mapping[str, tuple[str, str]]
    placings: Mapping[str, Placing]


@dataclass(slots=True)
class Rows:
    """What one column says of two rounds.

    Attributes:
        values: earlier and later value of each example that has both, in the order of ids.
        groups: one per row of ``values``.
        lopsided: examples of which only one answer has a value.
        total: examples of the batch.
    """

    two: Two
    column: Column
    values: list[tuple[float, float]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lopsided: int = 0
    total: int = 0


def twos(batch: Batch) -> Iterator[Two]:
    """Each two rounds that the batch holds, by arm."""
    places: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for item, placing in batch.placings.items():
        if placing.repeat_of is None:
            for number in placing.rounds:
                places[placing.arm, number][placing.example_id] = item
    for (arm, earlier), (other, later) in itertools.combinations(sorted(places), 2):
        if arm == other:
            old, new = places[arm, earlier], places[arm, later]
            items = {name: (old[name], new[name]) for name in sorted(old.keys() & new.keys())}
            yield Two(arm, earlier, later, items, batch.placings)


def rows_of(given: Given, column: Column, two: Two) -> Rows:
    found = Rows(two, column, total=len(two.items))
    for name, items in two.items.items():
        pair = _pair(given, column, two, items)
        if pair is not None:
            found.values.append(pair)
            found.groups.append(two.placings[items[0]].group or name)
        elif any(given.one(column, item) is not None for item in items):
            found.lopsided += 1
    return found


def _pair(
    given: Given, column: Column, two: Two, items: tuple[str, str]
) -> tuple[float, float] | None:
    """Earlier and later value; of a pair the share of preferences for each."""
    if items[0] != items[1]:
        return given.both(column, items)
    first = given.one(column, items[0])
    if first is None:
        return None
    second = 1 - first
    return (second, first) if two.placings[items[0]].rounds[0] == two.later else (first, second)
