"""Exact repeats: rows that have one prompt, or teach the same, and held-out prompts in others.

Letter case, white space, Unicode form and marks of sentences do not count
(:func:`harness.kit.folding.loosely`); digits, symbols and operators do, so ``12 - 7`` repeats
``12 - 7`` alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from harness.kit.alike.texts import Prompt, RowTexts, Turn, calls_of, text_of
from harness.records import Example

Key = TypeVar("Key", bound=Hashable)


def lesson(row: Example) -> bytes:
    """A digest of prompt and answers but for white space: equal for rows that teach the same."""
    turns = (f"{t.get('role')}: {text_of(t.get('content'))}{calls_of(t)}" for t in row.messages)
    sides = (turns, row.references, *([row.rejected] if row.rejected else []))
    texts = [[" ".join(text.split()) for text in side] for side in sides]
    # Not the texts themselves: of 200,000 rows they would be held a second time.
    return hashlib.blake2b(repr(texts).encode("utf-8", "surrogatepass")).digest()


def later(rows: Iterable[Example], key: Callable[[Example], Hashable]) -> Iterator[Example]:
    """The rows whose key an earlier one has."""
    seen: set[Hashable] = set()
    for row in rows:
        if (own := key(row)) in seen:
            yield row
        seen.add(own)


def grouped(rows: Iterable[Example], key: Callable[[Example], Key]) -> dict[Key, list[Example]]:
    """Key -> the rows that have it, in order."""
    groups: dict[Key, list[Example]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def dev_in_test(prompts: Mapping[Key, Sequence[Example]]) -> list[Example]:
    """Rows of test whose prompt is one of dev's.

    Args:
        prompts: rows :func:`grouped` by what counts as one prompt.
    """
    shared = (rows for rows in prompts.values() if any(row.split == "dev" for row in rows))
    return [row for rows in shared for row in rows if row.split == "test"]


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
            texts = RowTexts(row)
            if not texts.turns:
                continue
            self._whole.setdefault(texts.turns, row)
            spoken = _spoken(texts.turns)
            for answer in set(texts.answers) if spoken else ():
                self._ends.setdefault((spoken[-1], answer), []).append((spoken, row))

    def repeated_by(self, texts: RowTexts) -> Example | None:
        """The held-out row whose whole prompt is this row's, or whose prompt and answer stand
        within its conversation; None if there is none."""
        if (same := self._whole.get(texts.turns)) is not None:
            return same
        turns = _spoken(texts.turns)
        for place, turn in enumerate(turns, start=1):
            for answer in _answers(turns, place, texts.answers):
                for prompt, held_out in self._ends.get((turn, answer), ()):
                    if turns[max(0, place - len(prompt)) : place] == prompt:
                        return held_out
        return None


def _spoken(key: Prompt) -> Prompt:
    """The turns but for instructions of the system."""
    return tuple(turn for turn in key if turn[0] not in ("system", "developer"))


def _answers(turns: Prompt, place: int, references: Sequence[str]) -> Sequence[str]:
    """What is answered to the turns before ``place``: the next turn, or the references."""
    if place == len(turns):
        return references
    role, content, _ = turns[place]
    return [content] if role == "assistant" else []


# -- repeats but for punctuation ----------------------------------------------------------------


TELLING = 20
"""Characters from which a turn means something outside of its conversation."""


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
        counts: Counter[str] = Counter()
        whole: set[str] = set()
        # Of rows that ask the same, the last one's turns count.
        for row in reversed((*source, *held_out)):
            texts = RowTexts(row)
            if texts.loose and texts.loose not in whole:
                whole.add(texts.loose)
                counts.update(set(_parts(texts.said)))
        self._known: set[str] = set()
        for texts in map(RowTexts, held_out):
            parts = {
                part for part in _parts(texts.said, last_only=True) if counts[part] < shared_by
            }
            self._known |= parts | ({texts.loose} if texts.loose else set())

    def repeated_by(self, texts: RowTexts) -> bool:
        """Whether the prompt, what the user said in it, or one of its turns is a held-out one."""
        return texts.loose in self._known or any(part in self._known for part in _parts(texts.said))


def _parts(said: Sequence[str], *, last_only: bool = False) -> Iterator[str]:
    """All that the user said, and in conversations each turn (or the last) that is long enough."""
    if said:
        yield " ".join(said)
    if len(said) > 1:
        yield from (t for t in (said[-1:] if last_only else said) if len(t) >= TELLING)
