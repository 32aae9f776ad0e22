"""The augmenter ``sample``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import harness
from harness import Context, Dataset, Example, PlanItem
from harness.kit.features import addresses


class Sample(harness.Augmenter):
    """Asks the training rows of the weak slice once more, politely."""

    name = "sample"
    remedy = "ask politely"

    def propose(
        self,
        item: PlanItem,
        data: Dataset,
        context: Context,
    ) -> Iterator[Example]:
        """Rows for one item of the plan, the best first; ``data`` is train and pool."""
        conditions = item.slice.conditions if item.slice else ()
        used = {row.id for row in data.examples}
        for row in data.split("train"):
            name = f"{row.id}~polite"  # each new row has an id that no other row has
            if row.parent or name in used or not addresses(conditions, row):
                continue
            last = {**row.messages[-1], "content": f"Please tell me: {row.prompt}"}
            turns = (*row.messages[:-1], last)
            yield dataclasses.replace(row, id=name, messages=turns, parent=row.id)


@harness.hookimpl
def register_augmenters() -> list[type[harness.Augmenter]]:
    return [Sample]
