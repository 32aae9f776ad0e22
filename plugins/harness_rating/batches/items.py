"""What raters see of an example and its answers, people and judges alike."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Example, Item, Rubric

_MESSAGE_KEYS = ("role", "content", "tool_calls", "name", "tool_call_id")


def item_of(identifier: str, example: Example, answers: Sequence[str], rubric: Rubric) -> Item:
    """The item of that id; keys of messages that are not known here are left out."""
    show = rubric.show
    messages = tuple(
        {key: message[key] for key in _MESSAGE_KEYS if key in message}
        for message in example.messages
        if show.system_prompt or message.get("role") != "system"
    )
    references = () if show.reference == "never" else example.references
    meta = {name: example.meta[name] for name in show.meta if name in example.meta}
    return Item(identifier, messages, tuple(answers), references, meta)
