"""The probe ``general``: texts of twenty registers, simple instructions, general rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from pydantic import Field

import harness

RULES = ("any_of", "number", "pattern")
"""What an instruction asks of its answer: one of several texts, as whole words; a number, the first
in the answer or behind the last ``=``; the form of the whole answer."""
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_NUMERALS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip
_NUMERAL = re.compile(rf"\b(?:{'|'.join(_NUMERALS)})\b")


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
            rule = {name: line[name] for name in RULES if name in line}
            # As text: values of meta are scalars, and a rule may list several texts.
            yield harness.Example(line["id"], (turn,), meta={"rule": json.dumps(rule)})

    def right(self, instruction: harness.Example, answer: str) -> bool:
        return obeys(json.loads(instruction.meta["rule"]), answer)

    def rows(self) -> Iterator[harness.Example]:
        for line in lines("rows"):
            turn = {"role": "user", "content": line["prompt"]}
            yield harness.Example(line["id"], (turn,), (line["answer"],))


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a shipped file."""
    text = files("harness_general").joinpath("data", f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def obeys(rule: Mapping[str, Any], answer: str) -> bool:
    """Whether the answer obeys the rule, which is one of :data:`RULES`."""
    if "any_of" in rule:
        texts = "|".join(re.escape(text.casefold()) for text in rule["any_of"])
        return re.search(rf"(?<!\w)(?:{texts})(?!\w)", answer.casefold()) is not None
    if "number" in rule:
        return _number(answer) == float(rule["number"])
    return re.fullmatch(rule["pattern"], answer.strip()) is not None


def _number(answer: str) -> float | None:
    """The first number, in digits, or in words where there are none.

    Of ``20 - 8 = 12`` it is the result.
    """
    answer = answer.rpartition("=")[2]
    if digits := _NUMBER.search(answer):
        return float(digits[0].replace(",", ""))
    if numeral := _NUMERAL.search(answer.casefold()):
        return float(_NUMERALS.index(numeral[0]))
    return None
