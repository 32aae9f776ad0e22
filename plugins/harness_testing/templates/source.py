"""The source ``sample``."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness import Split

SPLITS: tuple[Split, ...] = ("train", "train", "dev", "test")


class Sample(harness.Source):
    """Sums of two numbers."""

    name = "sample"

    class Options(harness.Options):
        rows: int = 200

    def load(self, context: harness.Context) -> Iterator[harness.Example]:
        for number in range(self.options.rows):
            turn = {"role": "user", "content": f"What is {number} + {number % 7}?"}
            yield harness.Example(
                id=f"sum-{number}",
                messages=(turn,),
                references=(str(number + number % 7),),
                split=SPLITS[number % len(SPLITS)],
                meta={"carries": number % 10 + number % 7 > 9},
            )


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Sample]
