"""The baseline ``sample``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import harness
from harness import Context, Example


class Sample(harness.Baseline):
    """Says please before each prompt."""

    name = "sample"

    def prompts(
        self, rows: Sequence[Example], train: Sequence[Example], context: Context
    ) -> Iterator[Example]:
        for row in rows:
            please = {"role": "user", "content": "Please answer as well as you can."}
            yes = {"role": "assistant", "content": "I will."}
            yield dataclasses.replace(row, messages=(please, yes, *row.messages))


@harness.hookimpl
def register_baselines() -> list[type[harness.Baseline]]:
    return [Sample]
