"""The rows of the best round's training data whose prompts are most like a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_inspection.database import RunDatabase, among
from harness_inspection.lineage import TrainRow, train_rows_sql

if TYPE_CHECKING:
    from harness.kit.alike.words import Rows

NEAREST = 5
DATABASES = 2
"""Databases whose training rows are kept ready: to read 20,000 rows takes a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRow(TrainRow):
    similarity: float


@dataclass(frozen=True, slots=True)
class _Learned:
    """Rows that a round learned from: their ids, and their words."""

    ids: tuple[str, ...]
    words: Rows


_learned: dict[tuple[object, ...], _Learned] = {}


def nearest(database: RunDatabase, prompt: str) -> list[NearRow]:
    """Those most like a prompt, the most similar first."""
    learned_sql = train_rows_sql(database, database.kept)
    learned = _learned_of(database, learned_sql)
    (neighbours,) = learned.words.nearest([prompt], NEAREST)
    likeness = {learned.ids[place]: value for place, value in neighbours}
    rows = database.ask(f"FROM ({learned_sql}) {among(likeness)}") if likeness else []
    by_id = {row["id"]: row for row in reversed(rows)}
    return [
        NearRow(**by_id[name], similarity=value)
        for name, value in likeness.items()
        if name in by_id
    ]


def _learned_of(database: RunDatabase, sql: str) -> _Learned:
    """The rows that SQL gives, read once in a process."""
    from harness.kit.alike.words import Rows

    key = (*database.version, sql)
    if key not in _learned:
        rows = database.ask(f"SELECT id, coalesce(prompt, '') AS prompt FROM ({sql})")
        while len(_learned) >= DATABASES:
            del _learned[next(iter(_learned))]
        ids = tuple(row["id"] for row in rows)
        _learned[key] = _Learned(ids, Rows([row["prompt"] for row in rows]))
    return _learned[key]
