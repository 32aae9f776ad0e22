"""From chats to tokens, the same way for training and generation."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import harness
from harness_transformers.chat_options import ANSWER, NO_EFFECT, unknown

IGNORED = -100
TODAY = datetime.datetime(2026, 1, 1)
"""The date of every prompt whose template prints today's."""
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
    def learned(self) -> list[int]:
        """The tokens that the loss sees."""
        return [label for label in self.labels if label != IGNORED]

    @property
    def trained(self) -> int:
        """Number of tokens that the loss sees."""
        return len(self.learned)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat with its answer, rendered.

    Attributes:
        tokens: up to the last one that is learned.
        learned: for each of them, whether it is.
    """

    text: str
    tokens: list[Token]
    learned: list[bool]


def template_hash(tokenizer: Any) -> str:
    """Identifies how chats are rendered: two tokenizers with one hash build the same prompts.

    Raises:
        ConfigError: there is no chat template, it cannot render a plain chat, or it does not
            know an argument.
    """
    if not tokenizer.chat_template:
        raise harness.ConfigError(
            "this model has no chat template, so nobody can say how it is asked",
            where="model",
            hint="use an instruction-tuned model, or give one: model: {chat_template: FILE}",
        )
    arguments = _arguments(tokenizer)
    for name in unknown(tokenizer.chat_template, arguments):
        raise harness.ConfigError(
            NO_EFFECT.format(name),
            where="model.chat_template_kwargs",
            hint="read the template (chat_template.jinja in the model's folder)",
        )
    content = json.dumps(
        [tokenizer.chat_template, arguments, tokenizer.special_tokens_map], default=str
    )
    try:
        content += _render(tokenizer, PROBE, (), answer=False)
        content += _render(tokenizer, PROBE[:2], (), answer=True)
    except harness.DataError as error:
        raise harness.ConfigError(
            f"the chat template cannot render a plain chat of user and assistant: {error.what}",
            where="model",
            hint="mend it, or give another: model: {chat_template: FILE}",
        ) from error
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def prompt_ids(tokenizer: Any, example: harness.Example) -> list[int]:
    """The prompt's tokens, up to where the answer begins."""
    ids: list[int] = tokenizer(prompt(tokenizer, example), add_special_tokens=False)["input_ids"]
    return ids


def prompt(tokenizer: Any, example: harness.Example) -> str:
    """The rendered prompt, up to where the answer begins."""
    where = example.place or example.id
    return _render(tokenizer, example.messages, example.tools, answer=False, where=where)


def laid_out_prompt(tokenizer: Any, example: harness.Example) -> Chat:
    """The prompt of a row that has no answer: nothing of it is learned."""
    text = prompt(tokenizer, example)
    tokens = _placed(tokenizer, text, 0)
    return Chat(text, tokens, [False] * len(tokens))


def encode(
    tokenizer: Any, example: harness.Example, max_length: int, *, all_turns: bool
) -> Encoded:
    """A training row: the prompt, then the first reference as the answer.

    Only the assistant's tokens (with the end-of-turn token) are learned: of the answer, or of
    all assistant turns.

    Raises:
        DataError: as :func:`laid_out`.
    """
    chat = laid_out(tokenizer, example, all_turns=all_turns)
    ids = [token for token, _, _ in chat.tokens]
    labels = [
        token if learned else IGNORED for token, learned in zip(ids, chat.learned, strict=True)
    ]
    return Encoded(example.id, ids[:max_length], labels[:max_length], len(ids) > max_length)


def laid_out(tokenizer: Any, example: harness.Example, *, all_turns: bool) -> Chat:
    """A training row whole, before a limit cuts it; see :func:`encode`.

    Raises:
        DataError: the row has no reference, or the template refuses it, or renders a prompt
            differently once its answer follows.
    """
    if not example.references:
        raise harness.DataError(
            "a training row without a reference", where=example.place or example.id
        )
    chat = [*example.messages, _answer(example)]
    turns = [
        place
        for place, message in enumerate(chat)
        if message["role"] == "assistant"
        and (place == len(chat) - 1 or (all_turns and message.get("weight") != 0))
    ]
    where = example.place or example.id
    whole = _render(tokenizer, chat, example.tools, answer=True, where=where)
    spans = [_span(tokenizer, chat, place, example, whole) for place in turns]
    _need_calls(example, whole[slice(*spans[-1])])
    tokens = _tokens(tokenizer, whole, spans[-1][0])
    learned = [
        start < end and any(a <= start and end <= b for a, b in spans) for _, start, end in tokens
    ]
    # What follows the last learned token would be computed for nothing.
    places = [place for place, taught in enumerate(learned) if taught]
    used = places[-1] + 1 if places else len(tokens)
    return Chat(whole, tokens[:used], learned[:used])


def _need_calls(example: harness.Example, rendered: str) -> None:
    """Raises DataError where the rendered answer lacks a call that it makes."""
    calls = example.answer(example.references[0]).calls
    if lacking := [call.name for call in calls if call.name not in rendered]:
        raise harness.DataError(
            f"the chat template leaves out the call of {lacking[0]}, which is the answer",
            where=example.place or example.id,
            hint="take a model whose template knows calls of tools, or give a template that does: "
            "model: {chat_template: FILE}",
        )


def left_out(tokenizer: Any, example: harness.Example) -> str:
    """What the chat template silently drops of a row, in words: templates ignore unknown parts.

    Told by rendering the row without each part. A template that then refuses it does know the part.
    """
    turns = list(example.messages)
    results = [{**t, "content": ""} if t.get("role") == "tool" else t for t in turns]
    calls = [{k: v for k, v in t.items() if k != "tool_calls"} for t in turns]
    parts = {
        "the schemas of tools": (turns, ()),
        "the calls of tools": (calls, example.tools),
        "the results of tools": (results, example.tools),
    }
    own = (turns, example.tools)
    dropped = [
        words
        for words, other in parts.items()
        if other != own and _same_text(tokenizer, own, other, answer=False)
    ]
    if example.thought and example.references:
        whole = [*turns, _answer(example)]
        plain = [*turns, example.answer(example.references[0]).turn]
        if _same_text(tokenizer, (whole, example.tools), (plain, example.tools), answer=True):
            dropped.append("what is thought before the answer")
    return ", ".join(dropped)


def _same_text(tokenizer: Any, chat: Any, other: Any, *, answer: bool) -> bool:
    try:
        text, changed = (_render(tokenizer, *each, answer=answer) for each in (chat, other))
    except harness.DataError:
        return False
    return text == changed


def _answer(example: harness.Example) -> dict[str, Any]:
    """The turn that is learned, with the thought before it by the names that templates know."""
    answer = example.answer(example.references[0]).turn
    thought = example.thought
    return {**answer, "reasoning_content": thought, "thinking": thought} if thought else answer


def _tokens(tokenizer: Any, whole: str, seam: int) -> list[Token]:
    """The chat's tokens; before the seam, exactly those that generation starts from."""
    tokens = _placed(tokenizer, whole, 0)
    prompt = _placed(tokenizer, whole[:seam], 0)
    if tokens[: len(prompt)] == prompt:
        return tokens
    # An answer that begins with white space can melt into the prompt's last token.
    return [*prompt, *_placed(tokenizer, whole[seam:], seam)]


def _placed(tokenizer: Any, text: str, shift: int) -> list[Token]:
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (token, start + shift, end + shift)
        for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
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
    tokenizer: Any, messages: Sequence[Any], tools: Sequence[Any], *, answer: bool, where: str = ""
) -> str:
    """The chat as text, up to where an answer begins unless it holds the ``answer``.

    Raises:
        DataError: the template refuses the chat, such as one with a system turn.
    """
    from jinja2 import TemplateError

    with _one_date():
        try:
            text: str = tokenizer.apply_chat_template(
                [dict(message) for message in messages],
                tools=[dict(tool) for tool in tools] or None,
                tokenize=False,
                add_generation_prompt=not answer,
                **_arguments(tokenizer),
            )
        # What a template does to a turn of another shape than it expects is anybody's guess.
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
            raise harness.DataError(
                f"the chat template refuses it: {error}",
                where=where,
                hint="change these rows, or give another template: model: {chat_template: FILE}",
            ) from error
    return text


def _arguments(tokenizer: Any) -> dict[str, Any]:
    """``chat_template_kwargs`` of the config; :func:`loading.tokenizer_of` puts them there."""
    return dict(getattr(tokenizer, "chat_template_kwargs", {}))


class _Today(datetime.datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return cls.combine(TODAY, TODAY.time())


@contextlib.contextmanager
def _one_date() -> Iterator[None]:
    """``strftime_now`` of a template says :data:`TODAY`, else prompts would change by night.

    transformers lets nobody pass functions to a template, and its own takes the module's clock.
    """
    from transformers.utils import chat_template_utils

    clock = chat_template_utils.datetime
    chat_template_utils.datetime = _Today
    try:
        yield
    finally:
        chat_template_utils.datetime = clock


@dataclass(frozen=True, slots=True)
class Ending:
    """What the template puts around an answer.

    Attributes:
        lead: text between the prompt and the answer, such as a space (without special tokens).
        tail: text after the answer up to the end of the turn.
        rest: the same without special tokens.
        tokens: tokens of ``tail`` that hold nothing of the answer; empty if there is no end.
    """

    lead: str = ""
    tail: str = ""
    rest: str = ""
    tokens: tuple[int, ...] = ()


def ending(tokenizer: Any) -> Ending:
    """How the template begins and ends an answer, seen on a short chat."""
    chat = (PROBE[0], {"role": "assistant", "content": ANSWER})
    example = harness.Example("probe", chat[:1])
    try:
        whole = _render(tokenizer, chat, (), answer=True)
        start, end = _span(tokenizer, chat, 1, example, whole)
    except harness.DataError:
        return Ending()  # the rows say what is wrong
    place = whole.find(ANSWER, start, end)
    if place < 0:
        return Ending()
    answer_end = place + len(ANSWER)
    tokens = [
        placed
        for placed in _tokens(tokenizer, whole, start)
        if start <= placed[1] < placed[2] <= end
    ]
    text = answer_text(tokenizer, [token for token, *_ in tokens])
    after = tuple(token for token, first, _ in tokens if first >= answer_end)
    lead, _, rest = text.partition(ANSWER)
    return Ending(lead, whole[answer_end:end], rest, after)


def rendered_answer(tokenizer: Any, answer: harness.Answer, tools: Sequence[Any]) -> str:
    """An answer as the template writes it, with the end of its turn.

    Raises:
        DataError: the template refuses it, or renders the prompt before it differently.
    """
    chat = (PROBE[0], answer.turn)
    example = harness.Example("probe", chat[:1], tools=tuple(tools))
    whole = _render(tokenizer, chat, tools, answer=True)
    return whole[slice(*_span(tokenizer, chat, 1, example, whole))]


def answer_text(tokenizer: Any, tokens: Sequence[int], *, marks: bool = False) -> str:
    """An answer's text, white space at its beginning included.

    Args:
        marks: keep special tokens, with which some models mark calls of tools.

    Tokenizers like SentencePiece drop a space in front of the first token, so one is put before.
    """
    before = tokenizer("x", add_special_tokens=False)["input_ids"][-1:]
    first, text = (
        tokenizer.decode(ids, skip_special_tokens=not marks, clean_up_tokenization_spaces=False)
        for ids in (before, [*before, *tokens])
    )
    return str(text[len(first) :])
