"""Exact repeats: rows whose whole prompt, or whose conversation, is that of a held-out row.

Letter case, white space and Unicode form do not count; digits, symbols and operators do, so
``12 - 7`` repeats ``12 - 7`` alone.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from harness.records import Example, Message

Turn = tuple[str, str, str]
"""Role, folded content, and the calls of tools as JSON."""
Prompt = tuple[Turn, ...]


def folded(text: str) -> str:
    """The text in one Unicode form (NFKC), one letter case and single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    form = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", form).split())


def text_of(content: Any) -> str:
    """A turn's content as text; a turn that only calls tools has none."""
    return content if isinstance(content, str) else "" if content is None else str(content)


def prompt_key(messages: Iterable[Message]) -> Prompt:
    """The whole prompt, the system turn and all others: equal for exact repeats."""
    return tuple(
        (str(turn.get("role")), folded(text_of(turn.get("content"))), _calls(turn))
        for turn in messages
    )


def lesson(row: Example) -> tuple[tuple[str, ...], ...]:
    """Prompt and references but for white space: equal for rows that teach the same."""
    turns = (f"{t.get('role')}: {text_of(t.get('content'))}{_calls(t)}" for t in row.messages)
    return tuple(
        tuple(" ".join(text.split()) for text in texts) for texts in (turns, row.references)
    )


class HeldOutPrompts:
    """The prompts of dev and test, found in other rows.

    Args:
        rows: of dev and test; those without a turn are passed over.
    """

    def __init__(self, rows: Iterable[Example]) -> None:
        self._whole: dict[Prompt, Example] = {}
        # Last turn and answer -> the held-out rows that end so, with all their turns.
        self._ends: dict[tuple[Turn, str], list[tuple[Prompt, Example]]] = {}
        for row in rows:
            key = prompt_key(row.messages)
            if not key:
                continue
            self._whole.setdefault(key, row)
            spoken = _spoken(key)
            for answer in {folded(reference) for reference in row.references} if spoken else ():
                self._ends.setdefault((spoken[-1], answer), []).append((spoken, row))

    def repeated_by(self, row: Example) -> Example | None:
        """The held-out row whose whole prompt is this row's, or whose prompt and answer stand
        within its conversation; None if there is none."""
        key = prompt_key(row.messages)
        if (same := self._whole.get(key)) is not None:
            return same
        turns = _spoken(key)
        for place, turn in enumerate(turns, start=1):
            for answer in _answers(turns, place, row.references):
                for prompt, held_out in self._ends.get((turn, answer), ()):
                    if turns[max(0, place - len(prompt)) : place] == prompt:
                        return held_out
        return None


def dev_in_test(rows: Sequence[Example]) -> int:
    """Number of test rows whose whole prompt is one of dev's."""
    dev = {prompt_key(row.messages) for row in rows if row.split == "dev"}
    return sum(row.split == "test" and prompt_key(row.messages) in dev for row in rows)


def doubled(rows: Iterable[Example]) -> int:
    """Number of rows that teach (prompt and references) what an earlier one teaches."""
    keys = [lesson(row) for row in rows]
    return len(keys) - len(set(keys))


def _spoken(key: Prompt) -> Prompt:
    """The turns but for instructions of the system."""
    return tuple(turn for turn in key if turn[0] not in ("system", "developer"))


def _answers(turns: Prompt, place: int, references: Sequence[str]) -> Sequence[str]:
    """What is answered to the turns before ``place``: the next turn, or the references."""
    if place == len(turns):
        return [folded(reference) for reference in references]
    role, content, _ = turns[place]
    return [content] if role == "assistant" else []


def _calls(turn: Message) -> str:
    calls = turn.get("tool_calls")
    return json.dumps(calls, sort_keys=True, default=str) if calls else ""


# -- repeats but for punctuation ----------------------------------------------------------------


TELLING = 20
"""Characters from which a turn means something outside of its conversation."""
_PUNCTUATION = "[.,;:!?'\"“”‘’…¿¡]+"
_SENTENCE_MARKS = re.compile(rf"(?<!\d){_PUNCTUATION}|{_PUNCTUATION}(?!\d)")


def loose(text: str) -> str:
    """:func:`folded` without marks of punctuation, but for those between digits.

    Operators, brackets and other symbols stay. A text of marks alone keeps them.
    """
    whole = folded(text)
    return " ".join(_SENTENCE_MARKS.sub(" ", whole).split()) or whole


class LoosePrompts:
    """Held-out prompts found in proposals whatever the punctuation, in earlier turns as well.

    Args:
        held_out: rows of dev and test.
        source: the other rows of the source.
        shared_by: a turn that so many rows have in common tells nothing by itself.
    """

    def __init__(
        self, held_out: Sequence[Example], source: Sequence[Example], shared_by: int
    ) -> None:
        whole = {text: row for row in (*source, *held_out) if (text := loose_prompt(row))}
        counts = Counter(part for row in whole.values() for part in set(_parts(row)))
        self._known = {text for row in held_out if (text := loose_prompt(row))}
        self._known |= {
            part
            for row in held_out
            for part in _parts(row, last_only=True)
            if counts[part] < shared_by
        }

    def repeated_by(self, row: Example) -> bool:
        """Whether the prompt, what the user said in it, or one of its turns is a held-out one."""
        return loose_prompt(row) in self._known or any(part in self._known for part in _parts(row))


def loose_prompt(row: Example) -> str:
    """The prompt but for its answers and punctuation: equal for prompts that ask the same."""
    return loose("\n".join(asked_of(row, ("system", "developer", "user"))))


def _parts(row: Example, *, last_only: bool = False) -> Iterator[str]:
    """All that the user said, and in conversations each turn (or the last) that is long enough."""
    turns = [text for turn in asked_of(row, ("user",)) if (text := loose(turn))]
    yield from [" ".join(turns)] if turns else []
    if len(turns) > 1:
        yield from (t for t in (turns[-1:] if last_only else turns) if len(t) >= TELLING)


def asked_of(row: Example, roles: Container[str]) -> list[str]:
    """The texts of the turns of these roles."""
    return [text_of(turn.get("content")) for turn in row.messages if turn.get("role") in roles]
