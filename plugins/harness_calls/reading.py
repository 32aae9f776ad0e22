"""The calls that an answer makes, and those that it only seems to make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import harness
from harness.kit.tool_calls import calls_anywhere

MARKS = (
    "<tool_call>",
    "[TOOL_CALLS]",
    "<|python_tag|>",
    "<function=",
    "<|tool_call",
    "<tool_calls>",
)
"""What models write before a call, where nothing behind it could be read."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an answer calls.

    Attributes:
        calls: also those that stand as JSON in what is said.
        formed: how many of them are in the form of the model, so that a program would run them.
        malformed: how many are not, or cannot even be read.
        evidence: where the first of these stands.
    """

    calls: tuple[harness.ToolCall, ...]
    formed: int
    malformed: int = 0
    evidence: str = ""

    @classmethod
    def of(cls, text: str, example: harness.Example) -> Attempt:
        """Of an answer to a row with tools.

        JSON that stands in a text is a call only where it names one of the row's tools.
        """
        answer = example.answer(text)
        names = names_of(example.tools)
        seeming = tuple(call for call in calls_anywhere(answer.content) if call.name in names)
        if seeming:
            first = answer.content.find(f'"{seeming[0].name}"')
        else:
            first = _first_sign(answer.content, names)
        formed = len(answer.calls)
        if first < 0 and not seeming:
            return cls(answer.calls, formed)
        evidence = answer.content[max(first - 20, 0) :]
        return cls((*answer.calls, *seeming), formed, len(seeming) or 1, evidence)


def names_of(tools: Iterable[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Name of each tool's function -> the JSON Schema of its arguments."""
    schemas: dict[str, Mapping[str, Any]] = {}
    for tool in tools:
        function = tool.get("function", tool)
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            parameters = function.get("parameters")
            schemas[function["name"]] = parameters if isinstance(parameters, Mapping) else {}
    return schemas


def _first_sign(said: str, names: Iterable[str]) -> int:
    """Where a call seems to begin that cannot be read; -1 where none does."""
    places = [place for mark in MARKS if (place := said.find(mark)) >= 0]
    for name in names:
        # {"name": "set_light", …   or   set_light(room="hall")   on a line of its own.
        key = re.search(rf'"name"\s*:\s*"{re.escape(name)}"', said)
        python = re.search(rf"^[\s`\[]*{re.escape(name)}\s*\(.*=", said, re.MULTILINE)
        places += [sign.start() for sign in (key, python) if sign]
    return min(places, default=-1)
