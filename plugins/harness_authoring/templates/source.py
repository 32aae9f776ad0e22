"""The source ``sample``."""

from __future__ import annotations

from collections.abc import Iterator

import harness


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
                split="dev" if number % 4 == 0 else "test" if number % 4 == 1 else "train",
                meta={"carries": number % 10 + number % 7 > 9},
            )


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Sample]
