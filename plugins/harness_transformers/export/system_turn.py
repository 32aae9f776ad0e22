"""The system turn with which all rows of dev begin, in the chat template that is exported.

Whoever asks an exported model often gives the user's turn alone: through a server, ``curl``,
Ollama. The exported template therefore puts the run's system turn before a chat that has none. A
chat with one, as every row of the run has, is rendered as it was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import harness
from harness_transformers import encoding, loading

_USER = {"role": "user", "content": "?"}


def placed(tuned: harness.Checkpoint, turns: Sequence[harness.Message]) -> harness.Checkpoint:
    """The checkpoint with a chat template that puts these turns before a chat without any.

    Where the template would then render a chat otherwise than with these turns, or there are none,
    it is the checkpoint itself.
    """
    tokenizer = loading.tokenizer_of(tuned)
    template = tokenizer.chat_template
    if not turns or not isinstance(template, str):
        return tuned
    due = _rendered(tokenizer, [*turns, _USER])
    tokenizer.chat_template = _with_default(template, turns)
    if not due or any(_rendered(tokenizer, chat) != due for chat in ([_USER], [*turns, _USER])):
        return tuned
    return dataclasses.replace(tuned, info={**tuned.info, "chat_template": tokenizer.chat_template})


def _with_default(template: str, turns: Sequence[harness.Message]) -> str:
    roles, chat = _expression(harness.SYSTEM_ROLES), _expression([dict(turn) for turn in turns])
    # The line break after a block is dropped, so that the template itself begins a line.
    return (
        f"{{%- if not messages or messages[0]['role'] not in {roles} %}}"
        f"{{%- set messages = {chat} + messages %}}{{%- endif %}}\n{template}"
    )


def _expression(value: Any) -> str:
    """A value of texts in Jinja's language, whose escapes are Python's: no surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _rendered(tokenizer: Any, turns: Sequence[harness.Message]) -> str:
    """The chat as text; empty where the template refuses it."""
    try:
        return encoding.prompt(tokenizer, harness.Example("system turn", tuple(turns)))
    except harness.DataError:
        return ""
