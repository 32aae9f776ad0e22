"""A row's texts as the gate compares them: letter case, white space and Unicode form taken away,
for some comparisons punctuation, too."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from functools import cached_property
from typing import Any

from harness.kit.folding import folded, without_marks, without_sentence_marks
from harness.records import Example, Message

Turn = tuple[str, str, str]
"""Role, folded content, and the calls of tools as JSON."""
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
        self.turns = prompt_key(row.messages)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The references."""
        return tuple(folded(text) for text in self.row.references if isinstance(text, str))

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
        folded_turns = [text for role, text, _ in self.turns if role == "user" and text]
        if folded_turns == [self._asked]:
            return [self.loose]
        return [without_sentence_marks(text) for text in folded_turns]

    @cached_property
    def _asked(self) -> str:
        # Folding joins at white space, so folded turns are parts of the folded whole.
        return " ".join(text for role, text, _ in self.turns if role in ASKING and text)


def text_of(content: Any) -> str:
    """A turn's content as text; a turn that only calls tools has none."""
    return content if isinstance(content, str) else "" if content is None else str(content)


def asked_of(row: Example, roles: Container[str]) -> list[str]:
    """The texts of the turns of these roles, as they are."""
    return [text_of(turn.get("content")) for turn in row.messages if turn.get("role") in roles]


def prompt_key(messages: Iterable[Message]) -> Prompt:
    """The whole prompt, the system turn and all others: equal for exact repeats."""
    return tuple(
        (str(turn.get("role")), folded(text_of(turn.get("content"))), calls_of(turn))
        for turn in messages
    )


def calls_of(turn: Message) -> str:
    """A turn's calls of tools, as JSON."""
    calls = turn.get("tool_calls")
    return json.dumps(calls, sort_keys=True, default=str) if calls else ""
