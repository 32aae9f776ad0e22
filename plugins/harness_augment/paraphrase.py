"""The augmenter ``paraphrase``: the same question, put a little differently."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

from pydantic import Field

import harness
from harness import Context, Dataset, Example, PlanItem
from harness.kit.features import addresses
from harness_augment.prose import is_prose
from harness_augment.variation import KINDS, Kind, vary

ATTEMPTS = 8
"""Draws before a row counts as having no further variant."""


class Paraphrase(harness.Augmenter):
    """Varies the last user turn of training rows by rule; the answer stays as it is.

    Only rows whose prompt is natural language are varied, and only original rows: variants
    of variants drift away from what people write. First every row gets one variant, in seeded
    random order, then every row a second one, up to ``per_row``.
    """

    name = "paraphrase"
    remedy = "vary prompts"

    class Options(harness.Options):
        per_row: int = Field(
            2, ge=1, le=20, description="maximum variants of a row, over all rounds"
        )
        kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of changes")

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        conditions = item.slice.conditions if item.slice else ()
        train = data.split("train")
        used = {row.id for row in train}
        prompts = {row.prompt for row in train}
        rows = [
            row
            for row in train
            if row.parent is None and addresses(conditions, row) and _can_vary(row)
        ]
        random.Random(context.seed).shuffle(rows)
        for number, row in itertools.product(range(1, self.options.per_row + 1), rows):
            name = f"{row.id}~p{number}"
            if name in used:
                continue
            prompt = self._variant(row, f"{context.seed}/{name}", prompts)
            if prompt is not None:
                prompts.add(prompt)
                yield _with_prompt(row, name, prompt)

    def _variant(self, row: Example, seed: str, taken: set[str]) -> str | None:
        draw = random.Random(seed)
        for _ in range(ATTEMPTS):
            prompt = vary(row.prompt, row.references, self.options.kinds, draw)
            if prompt not in taken:
                return prompt
        return None


def _can_vary(row: Example) -> bool:
    # Behind a tool's result the question stands further up, and the result belongs to its words.
    asked = row.messages[-1].get("role") == "user"
    return asked and isinstance(row.messages[-1].get("content"), str) and is_prose(row.prompt)


def _with_prompt(row: Example, name: str, prompt: str) -> Example:
    last = {**row.messages[-1], "content": prompt}
    return replace(
        row, id=name, messages=(*row.messages[:-1], last), parent=row.id, origin=None, place=""
    )
