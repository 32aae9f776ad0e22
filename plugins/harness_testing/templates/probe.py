"""The probe ``sample``."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness import Example


class Sample(harness.Probe):
    """Sayings of a village, and what a meadow is called there."""

    name = "sample"

    def texts(self) -> Iterator[str]:
        yield "Whoever mows before the rain carries his hay home wet."

    def instructions(self) -> Iterator[Example]:
        turn = {"role": "user", "content": "What is a meadow by a brook? One word."}
        yield Example("meadow", (turn,))

    def right(self, instruction: Example, answer: str) -> bool:
        return "lea" in answer.casefold().split()


@harness.hookimpl
def register_probes() -> list[type[harness.Probe]]:
    return [Sample]
