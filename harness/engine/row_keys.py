"""How the rows of a set are known: by what the user asks, whatever else of them is changed.

Letter case, white space, Unicode form and marks of sentences do not count; signs that carry
meaning do (``12 - 7``). Where rows of a set share what the user asks, what the model answered
before tells them apart, and where they share that too, what the system says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.alike.texts import RowTexts
from harness.kit.files import digest
from harness.kit.folding import without_sentence_marks
from harness.records import Example

SHARED = 0.1
"""Share of the smaller of two sets of rows from which looking at one is looking at the other."""
_SYSTEM = ("system", "developer")


def row_keys(rows: Iterable[Example]) -> frozenset[str]:
    """The rows of a set, each as 16 hex digits of its user turns.

    Rows that share these have 16 more of the turns besides the system's, and 16 more of the
    system's where they share those, too, joined by a full stop.
    """
    wholes = {_levels(row) for row in rows}
    shared = Counter(levels[:depth] for levels in wholes for depth in (1, 2))
    return frozenset(
        ".".join(levels[: next((d for d in (1, 2) if shared[levels[:d]] == 1), 3)])
        for levels in wholes
    )


def overlap(rows: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of rows, by their keys, share so many that one is the other.

    A row that is known by its user turns alone is each row of the other set that has these.
    """
    least = SHARED * min(len(rows), len(other))
    if len(rows & other) >= least:
        return True
    if not any("." in key for key in (*rows, *other)):  # each is known by its user turns alone
        return False
    return min(_known(rows, other), _known(other, rows)) >= least


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
