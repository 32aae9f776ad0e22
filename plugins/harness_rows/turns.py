"""Turns of a chat as other programs write them, in the form that chat templates take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness_rows.calling import BadTurnError, calls_of, listed

ROLES = {
    "system": "system", "developer": "developer", "user": "user", "human": "user",
    "prompter": "user", "assistant": "assistant", "gpt": "assistant", "bot": "assistant",
    "chatgpt": "assistant", "model": "assistant", "function_call": "assistant", "tool": "tool",
    "function": "tool", "observation": "tool",
}  # fmt: skip
"""Who speaks, in other programs' words -> in ours."""
ASKED = ("user", "tool")
"""Roles behind whose turn an answer stands: a tool's result is answered, too."""
TURN_KEYS = ("name", "tool_call_id", "reasoning_content", "thinking")
UNLEARNED = "weight"
"""Key of an assistant's turn that is context alone; it is 0 there, as OpenAI writes it."""
_WEIGHTS = ("weight", "loss_weight")  # OpenAI; LLaMA-Factory
_SWITCHES = ("train", "training")  # axolotl
_TEXT_PARTS = ("text", "input_text", "output_text")
_THOUGHT_PARTS = ("thinking", "reasoning")


def turns_in(value: Any) -> list[Any] | None:
    """The turns that a value holds: a list, a list as JSON in a text, or a single turn."""
    if isinstance(value, Mapping) and ("role" in value or "from" in value):
        return [value]
    return listed(value)


def turn_of(turn: Any) -> dict[str, Any]:
    """A turn with ``role``, ``content`` and what else chat templates know of it.

    Raises:
        BadTurnError: it is none, or holds what is not read.
    """
    if not isinstance(turn, dict):
        raise BadTurnError("a turn must have a role and a content")
    speaker = turn.get("role", turn.get("from"))
    role = ROLES.get(speaker.casefold(), "") if isinstance(speaker, str) else ""
    if not role:
        raise BadTurnError(f"unknown role {json.dumps(speaker, default=repr)[:40]}")
    content, thought = _content(turn.get("content", turn.get("value")))
    calls = []
    if role == "assistant":
        calls = calls_of(turn.get("tool_calls") or turn.get("function_call"))
    if isinstance(speaker, str) and speaker.casefold() == "function_call" and not calls:
        calls, content = calls_of(content), None
        if not calls:
            raise BadTurnError("a call of a tool must be JSON with `name` and `arguments`")
    if content is None and not calls:
        raise BadTurnError("the content of a turn must be a text")
    if role == "user" and not str(content).strip():
        raise BadTurnError("the content of a user's turn is blank")
    # Templates that know no calls add texts up, and would stumble over a turn without one.
    message: dict[str, Any] = {"role": role, "content": content or ""}
    message.update({key: turn[key] for key in TURN_KEYS if turn.get(key) is not None})
    if thought:
        message.setdefault("reasoning_content", thought)
    if calls:
        message["tool_calls"] = calls
    if role == "assistant" and not _is_learned(turn):
        message[UNLEARNED] = 0
    return message


def thought_of(turn: Mapping[str, Any]) -> str:
    """What the assistant thought before a turn; empty where nothing is known."""
    for key in ("reasoning_content", "thinking"):
        if isinstance(turn.get(key), str) and turn[key].strip():
            return str(turn[key])
    return ""


def _is_learned(turn: Mapping[str, Any]) -> bool:
    off = any(turn.get(key) is False for key in _SWITCHES)
    weights = (turn.get(key) for key in _WEIGHTS)
    return not off and not any(isinstance(of, (int, float)) and of == 0 for of in weights)


def _content(value: Any) -> tuple[str | None, str]:
    """The text of a turn, and what was thought before it, where texts are given in parts."""
    if value is None or isinstance(value, str):
        return value, ""
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise BadTurnError("the content of a turn must be a text")
    texts, thoughts = [], []
    for part in value:
        kind = part.get("type", "text") if isinstance(part, Mapping) else None
        text = part
        if isinstance(kind, str):
            text = part.get(kind, part.get("text", part.get("value")))
        if kind in (None, *_TEXT_PARTS) and isinstance(text, str):
            texts.append(text)
        elif kind in _THOUGHT_PARTS and isinstance(text, str):
            thoughts.append(text)
        else:
            name = json.dumps(kind, default=repr)[:40]
            raise BadTurnError(f"a part of a turn is of the type {name}, and only text is read")
    return "".join(texts), "\n".join(thoughts)
