"""Answers that call tools: one written form of them, and the turn that they are in a chat.

An answer is a text everywhere (references, corrections, the database, metrics on texts). One that
calls tools is what is said first, then a line of JSON for each call::

    I switch it off.
    {"name": "set_light", "arguments": {"room": "hall", "on": false}}

Chat templates, servers and models have their own forms; they are translated at the edge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]
"""A chat message as chat templates take it: ``role``, ``content``, perhaps ``tool_calls``."""

Form = Sequence[str] | Mapping[str, Any]
"""What answers are held to: texts, one of which each is; or a JSON Schema, of whose values."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool.

    Attributes:
        name: of the function.
        arguments: name -> JSON value.
    """

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an assistant's turn says, and the tools that it calls."""

    content: str
    calls: tuple[ToolCall, ...] = ()

    @classmethod
    def read(cls, text: str) -> Answer:
        """Of the written form (:attr:`text`).

        The lines at the end are calls that are JSON objects of ``name``, a text, and
        ``arguments``, an object, and of nothing else.
        """
        lines = text.rstrip().split("\n")
        calls: list[ToolCall] = []
        while lines and (call := _call(lines[-1])) is not None:
            calls.insert(0, call)
            lines.pop()
        return cls("\n".join(lines).rstrip(), tuple(calls)) if calls else cls(text)

    @classmethod
    def of(cls, turn: Message) -> Answer:
        """Of an assistant's turn; calls whose arguments are no object are left out."""
        calls = []
        for call in turn.get("tool_calls") or ():
            function = call.get("function", call)
            name, arguments = function.get("name"), function.get("arguments")
            if isinstance(name, str) and isinstance(arguments, Mapping):
                calls.append(ToolCall(name, arguments))
        return cls(str(turn.get("content") or ""), tuple(calls))

    @property
    def text(self) -> str:
        """The written form: what is said, then each call on a line of its own."""
        if not self.calls:
            return self.content
        said = [self.content.rstrip()] if self.content.strip() else []
        calls = ({"name": call.name, "arguments": dict(call.arguments)} for call in self.calls)
        return "\n".join([*said, *(json.dumps(call, ensure_ascii=False) for call in calls)])

    @property
    def turn(self) -> dict[str, Any]:
        """The assistant's turn, as chat templates and servers take it."""
        turn: dict[str, Any] = {"role": "assistant", "content": self.content}
        if self.calls:
            turn["tool_calls"] = [
                {
                    # Mistral's template takes ids of nine letters and digits alone.
                    "id": f"call{number:05}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": dict(call.arguments)},
                }
                for number, call in enumerate(self.calls, start=1)
            ]
        return turn


def _call(line: str) -> ToolCall | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.keys() != {"name", "arguments"}:
        return None
    name, arguments = value["name"], value["arguments"]
    whole = isinstance(name, str) and name and isinstance(arguments, dict)
    return ToolCall(name, arguments) if whole else None
