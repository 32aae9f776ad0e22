"""From chats to tokens, the same way for training and generation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import harness

IGNORED = -100
PROBE = (
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"},
)

Token = tuple[int, int, int]
"""A token's id and where it stands in the text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One training row.

    Attributes:
        input_ids: the chat up to the last token that is learned.
        labels: the same, with :data:`IGNORED` wherever nothing is learned.
        truncated: True if an answer was cut by the length limit.
    """

    id: str
    input_ids: list[int]
    labels: list[int]
    truncated: bool

    @property
    def trained(self) -> int:
        """Number of tokens that the loss sees."""
        return sum(label != IGNORED for label in self.labels)


def template_hash(tokenizer: Any) -> str:
    """Identifies how chats are rendered: two tokenizers with one hash build the same prompts.

    Raises:
        EnvironmentFailure: the tokenizer has no chat template.
    """
    if not tokenizer.chat_template:
        raise harness.EnvironmentFailure(
            "this model has no chat template", hint="use an instruction-tuned model"
        )
    # Some templates print today's date; it must not make every day's template another one.
    text = _render(tokenizer, PROBE, (), answer=False, date_string="1 January 2026")
    text += _render(tokenizer, PROBE[:2], (), answer=True, date_string="1 January 2026")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def prompt_ids(tokenizer: Any, example: harness.Example) -> list[int]:
    """The prompt's tokens, up to where the answer begins."""
    text = _render(tokenizer, example.messages, example.tools, answer=False)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def encode(
    tokenizer: Any, example: harness.Example, max_length: int, *, all_turns: bool
) -> Encoded:
    """A training row: the prompt, then the first reference as the answer.

    Only the assistant's tokens (with the end-of-turn token) are learned: of the answer, or of
    all assistant turns.

    Raises:
        DataError: the row has no reference, or the template renders a prompt differently
            once its answer follows.
    """
    if not example.references:
        raise harness.DataError(
            "a training row without a reference", where=example.place or example.id
        )
    chat = [*example.messages, {"role": "assistant", "content": example.references[0]}]
    turns = [
        place
        for place, message in enumerate(chat)
        if message["role"] == "assistant" and (all_turns or place == len(chat) - 1)
    ]
    whole = _render(tokenizer, chat, example.tools, answer=True)
    spans = [_span(tokenizer, chat, place, example, whole) for place in turns]
    tokens = _tokens(tokenizer, whole, spans[-1][0])
    labels = [
        token if start < end and any(a <= start and end <= b for a, b in spans) else IGNORED
        for token, start, end in tokens
    ]
    used = max((place for place, label in enumerate(labels) if label != IGNORED), default=-1) + 1
    ids = [token for token, _, _ in tokens]
    used = used or len(ids)
    cut = min(used, max_length)
    return Encoded(example.id, ids[:cut], labels[:cut], used > max_length)


def _tokens(tokenizer: Any, whole: str, seam: int) -> list[Token]:
    """The chat's tokens; before the seam, exactly those that generation starts from."""
    tokens = _placed(tokenizer, whole, 0)
    prompt = _placed(tokenizer, whole[:seam], 0)
    if tokens[: len(prompt)] == prompt:
        return tokens
    # An answer that begins with white space can melt into the prompt's last token.
    return [*prompt, *_placed(tokenizer, whole[seam:], seam)]


def _placed(tokenizer: Any, text: str, shift: int) -> list[Token]:
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (token, start + shift, end + shift)
        for token, (start, end) in zip(found["input_ids"], found["offset_mapping"], strict=True)
    ]


def _span(
    tokenizer: Any, chat: Sequence[Any], place: int, example: harness.Example, whole: str
) -> tuple[int, int]:
    """Where one assistant turn stands in the rendered chat (its end marker included)."""
    before = _render(tokenizer, chat[:place], example.tools, answer=False)
    after = _render(tokenizer, chat[: place + 1], example.tools, answer=True).rstrip("\n")
    if not (whole.startswith(before) and whole.startswith(after)):
        raise harness.DataError(
            "the chat template renders this prompt differently once an answer follows, so "
            "what is trained would not be what is generated",
            where=example.place or example.id,
        )
    return len(before), len(after)


def _render(
    tokenizer: Any, messages: Sequence[Any], tools: Sequence[Any], *, answer: bool, **more: Any
) -> str:
    text: str = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        tools=[dict(tool) for tool in tools] or None,
        tokenize=False,
        add_generation_prompt=not answer,
        **more,
    )
    return text


def stop_ids(tokenizer: Any, model: Any) -> list[int]:
    """The tokens that end an answer."""
    found = model.generation_config.eos_token_id
    ids = found if isinstance(found, list) else [found]
    if tokenizer.eos_token_id not in ids:
        ids = [*ids, tokenizer.eos_token_id]
    return [token for token in ids if token is not None]
