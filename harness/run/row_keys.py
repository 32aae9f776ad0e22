"""How the rows of a set are known: by what the user asks, whatever else of them is changed.

Letter case, white space, Unicode form and marks of sentences do not count; signs that carry
meaning do (``12 - 7``). Where rows of a set share what the user asks, what the model answered
before tells them apart, and where they share that too, what the system says. So are rows with
other references known, too. Rows of the same references are known although words were added to
what the user asks, or left out (:mod:`harness.kit.alike.wording`).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from harness.kit.alike.texts import RowTexts
from harness.kit.files import digest
from harness.kit.folding import without_sentence_marks
from harness.records import Example

if TYPE_CHECKING:
    from harness.kit.alike.wording import Wordings

SHARED = 0.1
"""Share of the smaller of two sets of rows from which looking at one is looking at the other."""
FEWEST_REWORDED = 3
"""Rows that have to be the same but for their wording, where there are so many."""
_SYSTEM = ("system", "developer")


class RowKeys:
    """The rows of a set, as digests of their texts.

    Attributes:
        turns: each row as 16 hex digits of its user turns. Rows that share these have 16 more of
            the turns besides the system's, and 16 more of the system's where they share those, too,
            joined by a full stop.
    """

    def __init__(self, turns: Iterable[str], words: str | None, rows: Sequence[Example] = ()):
        self.turns = frozenset(turns)
        self._words, self._rows = words, rows

    @cached_property
    def wordings(self) -> Wordings | None:
        """Their words; None for what an earlier version wrote down.

        Raises:
            ValueError: what was written down is not that of these rows.
        """
        from harness.kit.alike.wording import Wordings, wordings

        if self._rows:
            return wordings(self._rows)
        return None if self._words is None else Wordings.unpacked(self._words, len(self.turns))

    @cached_property
    def words(self) -> str | None:
        """Their words as they are written down."""
        return self.wordings.packed() if self._rows and self.wordings else self._words

    @cached_property
    def by_user_turns(self) -> bool:
        """Whether each row is known by its user turns alone."""
        return not any("." in key for key in self.turns)

    @cached_property
    def listed(self) -> str:
        """Their turns as they are written down."""
        return " ".join(sorted(self.turns))

    @cached_property
    def digest(self) -> str:
        """Equal for equal sets."""
        return digest([self.listed, self.words])


def keys_of(turns: str | None, words: str | None, rows: Iterable[str] | None) -> RowKeys | None:
    """What a line of a ledger says of rows; None where it says nothing.

    Args:
        rows: their turns, in lines of earlier versions, which have no words.

    Raises:
        ValueError: that is not what was written down of these rows.
    """
    if turns is None:
        return None if rows is None else RowKeys(rows, None)
    keys = RowKeys(turns.split(), words)
    if keys.wordings is None:
        raise ValueError("it has no words of its rows")
    return keys


def row_keys(rows: Iterable[Example]) -> RowKeys:
    """The rows of a set; those that differ in nothing but references are one row."""
    by_levels: dict[tuple[str, str, str], Example] = {}
    for row in rows:
        earlier = by_levels.setdefault(_levels(row), row)
        if earlier is not row:
            references = dict.fromkeys((*earlier.references, *row.references))
            by_levels[_levels(row)] = dataclasses.replace(earlier, references=tuple(references))
    shared = Counter(levels[:depth] for levels in by_levels for depth in (1, 2))
    keys = {
        ".".join(levels[: next((d for d in (1, 2) if shared[levels[:d]] == 1), 3)]): row
        for levels, row in by_levels.items()
    }
    return RowKeys(keys, None, [keys[key] for key in sorted(keys)])


def overlap(rows: RowKeys, other: RowKeys) -> bool:
    """Whether two sets of rows share so many that one is the other: a tenth of the smaller one.

    A row that is known by its user turns alone is each row of the other set that has these. Rows
    that are the same but for their wording have to be three, where there are so many.
    """
    smaller = min(len(rows.turns), len(other.turns))
    if not smaller:
        return False
    least = SHARED * smaller
    if _same_turns(rows, other) >= least:
        return True
    if rows.wordings is None or other.wordings is None:
        return False
    from harness.kit.alike.wording import in_common

    reworded = in_common(rows.wordings, other.wordings)
    return reworded >= max(least, min(smaller, FEWEST_REWORDED))


def overlapping(rows: RowKeys, others: Sequence[RowKeys]) -> list[bool]:
    """:func:`overlap` with each of the others; equal sets are looked at once."""
    by_set: dict[int, bool] = {}
    for other in others:
        if id(other) not in by_set:
            same = bool(rows.turns) and rows.turns == other.turns
            by_set[id(other)] = same or overlap(rows, other)
    return [by_set[id(other)] for other in others]


def _same_turns(rows: RowKeys, other: RowKeys) -> int:
    same = len(rows.turns & other.turns)
    # Where each row is known by its user turns alone, that is all.
    if rows.by_user_turns and other.by_user_turns:
        return same
    known, theirs = _known(rows.turns, other.turns), _known(other.turns, rows.turns)
    return max(same, min(known, theirs))


def _levels(row: Example) -> tuple[str, str, str]:
    texts = RowTexts(row)
    turns = [(role, without_sentence_marks(text), calls) for role, text, calls in texts.turns]
    system = [turn for turn in turns if turn[0] in _SYSTEM]
    others = [turn for turn in turns if turn[0] not in _SYSTEM]
    user_key, others_key, system_key = (
        digest(each)[:16] for each in (" ".join(texts.said), others, system)
    )
    return user_key, others_key, system_key


def _known(rows: frozenset[str], others: frozenset[str]) -> int:
    """How many of the rows are rows of the other set."""
    beginnings = {begin for key in others for begin in _beginnings(key)}
    return sum(
        key in beginnings or any(begin in others for begin in _beginnings(key)) for key in rows
    )


def _beginnings(key: str) -> Iterable[str]:
    parts = key.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
