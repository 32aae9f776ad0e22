"""Two rounds that one batch holds, matched example by example.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness_rating.batches.records import Batch, Placing
from harness_rating.ratings.resolved import Column, ScoredItems


@dataclass(frozen=True, slots=True)
class RoundPair:
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

    pair: RoundPair
    column: Column
    values: list[tuple[float, float]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lopsided: int = 0
    total: int = 0


def round_pairs(batch: Batch) -> Iterator[RoundPair]:
    """Each two rounds that the batch holds, by arm."""
    places: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for item in batch.originals:
        placing = batch.placings[item]
        for number in placing.rounds:
            places[placing.arm, number][placing.example_id] = item
    for (arm, earlier), (other, later) in itertools.combinations(sorted(places), 2):
        if arm == other:
            old, new = places[arm, earlier], places[arm, later]
            items = {name: (old[name], new[name]) for name in sorted(old.keys() & new.keys())}
            yield RoundPair(arm, earlier, later, items, batch.placings)


def rows_of(scored: ScoredItems, column: Column, pair: RoundPair) -> Rows:
    rows = Rows(pair, column, total=len(pair.items))
    for name, items in pair.items.items():
        values = _values(scored, column, pair, items)
        if values is not None:
            rows.values.append(values)
            rows.groups.append(pair.placings[items[0]].group or name)
        elif any(scored.mean(column, item) is not None for item in items):
            rows.lopsided += 1
    return rows


def _values(
    scored: ScoredItems, column: Column, pair: RoundPair, items: tuple[str, str]
) -> tuple[float, float] | None:
    """Earlier and later value; of a pair the share of preferences for each."""
    if items[0] != items[1]:
        return scored.pair(column, items)
    first = scored.mean(column, items[0])
    if first is None:
        return None
    later_first = pair.placings[items[0]].rounds[0] == pair.later
    return (1 - first, first) if later_first else (first, 1 - first)
