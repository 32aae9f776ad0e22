"""The augmenter ``pool``: real, labelled rows that were kept in reserve."""

from __future__ import annotations

import random
from collections.abc import Iterator

import harness
from harness import Context, Dataset, Example, PlanItem
from harness.kit.features import addresses


class Pool(harness.Augmenter):
    """Moves rows of the weak slice from the pool into train, in seeded random order."""

    name = "pool"
    draws_from = ("pool",)
    moves = True
    remedy = "add real rows from the pool"

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        conditions = item.slice.conditions if item.slice else ()
        trained = {row.id for row in data.split("train")}
        rows = [
            row
            for row in data.split("pool")
            if row.id not in trained and addresses(conditions, row)
        ]
        random.Random(context.seed).shuffle(rows)
        yield from rows
