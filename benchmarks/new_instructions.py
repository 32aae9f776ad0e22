"""The probe of ``frontier.py``: 80 instructions of sixteen kinds that no general row has.

They were written before any general row or setting was changed for what a model keeps. They are to
be answered once, when learning rate, epochs, rank and share of general rows have been chosen: they
do not show as kept what that choice kept only for the 40 instructions of the probe ``general``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import harness
from harness_general.general import RULES, obeys


class NewInstructions(harness.Probe):
    """80 instructions that nothing was chosen on."""

    name = "new-instructions"

    def texts(self) -> Iterator[str]:
        return iter(())

    def instructions(self) -> Iterator[harness.Example]:
        path = Path(__file__).with_suffix(".jsonl")
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            rule = {name: item[name] for name in RULES if name in item}
            turn = {"role": "user", "content": item["prompt"]}
            yield harness.Example(item["id"], (turn,), meta={"rule": json.dumps(rule)})

    def right(self, instruction: harness.Example, answer: str) -> bool:
        return obeys(json.loads(instruction.meta["rule"]), answer)


@harness.hookimpl
def register_probes() -> list[type[harness.Probe]]:
    return [NewInstructions]
