"""A one-file plugin: the augmenter ``repeat``, which adds rows of train a second time.

An arm of ``targeting.py``: what more steps on the same rows do, so that new rows can be told
from more training.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import harness
from harness import Context, Dataset, Example, PlanItem


class Repeat(harness.Augmenter):
    """Original rows of train once more, in seeded random order; it addresses no slice."""

    name = "repeat"
    remedy = "repeat rows of train"

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        rows = [row for row in data.split("train") if row.parent is None]
        random.Random(context.seed).shuffle(rows)
        for row in rows:
            # Training learns the first reference. The gate refuses a row of train with the same
            # references, so the copy names its one reference twice.
            references = (*row.references, row.references[0])
            yield replace(
                row, id=f"{row.id}~again", parent=row.id, references=references, origin=None
            )


@harness.hookimpl
def register_augmenters() -> Sequence[type[harness.Augmenter]]:
    return [Repeat]
