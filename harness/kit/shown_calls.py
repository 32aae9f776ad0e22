"""Calls of tools as people read them: ``set_light(room: "hall", on: false)``.

The texts that these functions return may hold what a terminal acts on: ``plain`` comes after them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit.tool_calls import calls_in
from harness.records.answers import Answer, Message, ToolCall


def readable(text: str) -> str:
    """An answer in its written form (:class:`harness.Answer`) with its calls as people read them.

    A text that calls nothing is returned as it is.
    """
    return readable_pair("", text)[1]


def readable_pair(reference: str, answer: str) -> tuple[str, str]:
    """A reference and an answer with their calls as people read them, so that they can be compared.

    The calls of the answer and their arguments, whose order means nothing, stand in the order of
    the reference.
    """
    wanted, given = Answer.read(reference), Answer.read(answer)
    try:
        calls = _in_order(given.calls, wanted.calls)
        return _text(wanted.content, wanted.calls), _text(given.content, calls)
    except RecursionError:  # values that nest hundreds of levels deep
        return reference, answer


def readable_turn(turn: Message) -> str:
    """What a turn of a chat says, a part below the other, and the calls that it makes."""
    content = turn.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    texts = [content if isinstance(content, str) else _json(content)] if content else []
    if given := turn.get("tool_calls"):
        calls = calls_in(given)
        texts += map(_call, calls) if calls else [_json(given)]
    return "\n".join(filter(None, texts))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(content: str, calls: Sequence[ToolCall]) -> str:
    if not calls:
        return content
    return "\n".join([*([content.rstrip()] if content.strip() else []), *map(_call, calls)])


def _call(call: ToolCall) -> str:
    arguments = (f"{_name(name)}: {_json(value)}" for name, value in call.arguments.items())
    return f"{_name(call.name)}({', '.join(arguments)})"


def _name(name: str) -> str:
    bare = all(part.isidentifier() for part in name.replace("-", "_").split("."))
    return name if bare else _json(name)


def _in_order(given: Sequence[ToolCall], wanted: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """The calls, each beside the nearest of its name in ``wanted``, and the others behind them."""
    pairs = [
        (-_shared(call, other), place, own)
        for place, other in enumerate(wanted)
        for own, call in enumerate(given)
        if call.name == other.name
    ]
    own_of: dict[int, int] = {}
    for _, place, own in sorted(pairs):
        if place not in own_of and own not in own_of.values():
            own_of[place] = own
    matched = (
        ToolCall(given[own].name, _like(given[own].arguments, wanted[place].arguments))
        for place, own in sorted(own_of.items())
    )
    others = (call for own, call in enumerate(given) if own not in own_of.values())
    return (*matched, *others)


def _shared(call: ToolCall, other: ToolCall) -> int:
    """How many arguments both calls have with the same value."""
    values = other.arguments
    return sum(name in values and values[name] == value for name, value in call.arguments.items())


def _like(value: Any, wanted: Any) -> Any:
    """A JSON value, the keys of its objects in the order of another value."""
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        names = dict.fromkeys([*(name for name in wanted if name in value), *value])
        return {name: _like(value[name], wanted.get(name)) for name in names}
    if isinstance(value, list) and isinstance(wanted, list):
        return [*map(_like, value, wanted), *value[len(wanted) :]]
    return value
