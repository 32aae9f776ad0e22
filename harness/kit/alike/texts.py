"""A row's texts as the gate compares them: letter case, white space and Unicode form taken away,
for some comparisons punctuation, too."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from functools import cached_property
from typing import Any

from harness.kit.folding import (
    folded,
    loosely,
    without_formats,
    without_marks,
    without_sentence_marks,
)
from harness.records import Example, Message

Turn = tuple[str, str, str]
"""Role, content as :func:`harness.kit.folding.loosely` has it, and the calls of tools as JSON."""
Prompt = tuple[Turn, ...]

ASKING = ("system", "developer", "user")


class RowTexts:
    """The texts of one row, each made once, when it is first asked for.

    Attributes:
        row: whose they are.
        turns: the whole prompt, the system turn and all others: equal for exact repeats.
    """

    def __init__(self, row: Example) -> None:
        self.row = row
        self._folded = [_folded(text_of(turn.get("content"))) for turn in row.messages]
        self.turns = _as_key(row.messages, self._folded)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The references, in the form of :attr:`turns`."""
        return tuple(loosely(text) for text in self.row.references if isinstance(text, str))

    @cached_property
    def words(self) -> str:
        """What the system and the user say, without punctuation: by this likeness is found."""
        return without_marks(self._asked)

    @cached_property
    def loose(self) -> str:
        """The same with symbols: equal for prompts that ask the same."""
        return without_sentence_marks(self._asked)

    @cached_property
    def said(self) -> list[str]:
        """The turns of the user, as :attr:`loose` has them; those without text left out."""
        return [text for role, text, _ in self.turns if role == "user" and text]

    @cached_property
    def _asked(self) -> str:
        # Folding joins at white space, so folded turns are parts of the folded whole.
        roles = (turn.get("role") for turn in self.row.messages)
        asked = zip(roles, self._folded, strict=True)
        return " ".join(text for role, text in asked if role in ASKING and text)


def text_of(content: Any) -> str:
    """A turn's content as text; a turn that only calls tools has none."""
    return content if isinstance(content, str) else "" if content is None else str(content)


def asked_of(row: Example, roles: Container[str]) -> list[str]:
    """The texts of the turns of these roles, as they are."""
    return [text_of(turn.get("content")) for turn in row.messages if turn.get("role") in roles]


def whole_text(row: Example) -> str:
    """All that stands in a row, of its prompt, answers and facts, line by line."""
    turns = (f"{text_of(turn.get('content'))}\n{calls_of(turn)}" for turn in row.messages)
    facts = (str(value) for value in row.meta.values() if isinstance(value, str | int))
    names = (name for name in (row.id, row.group) if name != row.place)
    answers = map(str, (*row.references, *row.rejected))
    return "\n".join((*turns, *answers, row.thought, *facts, *names))


def prompt_key(messages: Iterable[Message]) -> Prompt:
    """The whole prompt, the system turn and all others: equal for exact repeats."""
    turns = tuple(messages)
    return _as_key(turns, [_folded(text_of(turn.get("content"))) for turn in turns])


def _folded(text: str) -> str:
    return folded(without_formats(text))


def _as_key(turns: Iterable[Message], contents: Iterable[str]) -> Prompt:
    """Turns with their folded contents as they are compared."""
    return tuple(
        (str(turn.get("role")), without_sentence_marks(content), calls_of(turn))
        for turn, content in zip(turns, contents, strict=True)
    )


def calls_of(turn: Message) -> str:
    """A turn's calls of tools, as JSON."""
    calls = turn.get("tool_calls")
    return json.dumps(calls, sort_keys=True, default=str) if calls else ""
