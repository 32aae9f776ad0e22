"""What a check finds: a problem that has to be mended, or a note that is worth knowing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from harness import SPLITS, Example

PLACES = 4
"""Rows that are named for each finding."""

Level = Literal["problem", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that was found.

    Attributes:
        kind: a stable name of it.
        what: one sentence.
        count: how many rows it is about; 0 where it is about none in particular.
        places: the first of these rows.
        hint: what to do about it.
    """

    level: Level
    kind: str
    what: str
    count: int = 0
    places: tuple[str, ...] = ()
    hint: str = ""


def on_rows(level: Level, kind: str, what: str, rows: Sequence[Example], hint: str = "") -> Finding:
    """A finding on these rows, the first of which are named."""
    places = tuple(row.place or row.id for row in rows[:PLACES])
    return Finding(level, kind, what, len(rows), places, hint)


def by_split(rows: Iterable[Example]) -> dict[str, int]:
    """Split -> rows, in the usual order; those without a split last, below an empty name."""
    counts = Counter(str(row.split) for row in rows)
    return {name: counts[name] for name in (*SPLITS, "") if counts[name]}


def pairs(rows: Iterable[tuple[Example, Example]]) -> tuple[str, ...]:
    """Places of rows that are like others: ``a.csv:3 = a.csv:9``."""
    return tuple(
        f"{row.place or row.id} = {other.place or other.id}" for row, other in islice(rows, PLACES)
    )


def counted(count: int, verb: str = "", verbs: str = "") -> str:
    """``1 row repeats``, ``2,000 rows repeat``."""
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return f"{rows} {verb if count == 1 else verbs}".rstrip()
