"""The probe ``general``: texts of twenty registers, simple instructions, general rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from pydantic import Field

import harness
from harness_general import rules


class General(harness.Probe):
    """Short texts of twenty registers, 40 instructions with simple rules, and general rows."""

    name = "general"
    known_as = ("forgetting", "perplexity", "default")

    class Options(harness.Options):
        """
        Attributes:
            texts: how many, the registers in turns.
            instructions: how many.
        """

        texts: int = Field(
            200,
            ge=0,
            le=200,
            description="texts whose loss is measured, 0 to 200; the twenty registers take turns",
        )
        instructions: int = Field(
            40, ge=0, le=40, description="instructions that are answered, 0 to 40"
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        for line in lines("texts")[: self.options.texts]:
            yield line["text"], line["register"]

    def instructions(self) -> Iterator[harness.Example]:
        for line in lines("instructions")[: self.options.instructions]:
            turn = {"role": "user", "content": line["prompt"]}
            rule = {name: line[name] for name in rules.RULES if name in line}
            yield harness.Example(line["id"], (turn,), meta={"rule": json.dumps(rule)})

    def right(self, instruction: harness.Example, answer: str) -> bool:
        return rules.right(json.loads(instruction.meta["rule"]), answer)

    def rows(self) -> Iterator[harness.Example]:
        for line in lines("rows"):
            turn = {"role": "user", "content": line["prompt"]}
            yield harness.Example(line["id"], (turn,), (line["answer"],))


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a shipped file."""
    text = files("harness_general").joinpath("data", f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
