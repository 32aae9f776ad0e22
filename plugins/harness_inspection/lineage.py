"""Which rows a round learned from, and by which addition each of them came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.kit.blocks import Cell, Column, Table
from harness.kit.shown_calls import readable
from harness.kit.text import plain
from harness_inspection.database import RunDatabase, among


@dataclass(frozen=True, slots=True)
class TrainRow:
    """A training row as people are shown it; of one that is gone nothing but its name."""

    id: str
    split: str | None = None
    place: str | None = None
    prompt: str | None = None
    reference: str | None = None


EMPTY = "(empty)"
LIMIT = 1_000
"""Characters of a text in the table."""


def table_of_rows(rows: Sequence[TrainRow], title: str = "", numbers: Sequence[str] = ()) -> Table:
    """Training rows: where they stand, what they ask, and below it what they teach.

    Args:
        title, numbers: a column before the texts, with a number for each row.
    """
    columns = [Column("row", "id"), Column("where"), Column("prompt / what it teaches", "line")]
    cells: list[list[Cell]] = [
        [
            plain(row.id, LIMIT),
            plain(row.place or row.split or "not among the rows", LIMIT),
            (plain(row.prompt or EMPTY, LIMIT), plain(readable(row.reference or EMPTY), LIMIT)),
        ]
        for row in rows
    ]
    if title:
        columns.insert(1, Column(title, "number"))
        for line, number in zip(cells, numbers, strict=True):
            line.insert(1, number)
    return Table(tuple(columns), tuple(map(tuple, cells)), "training rows")


def trained(database: RunDatabase, number: int) -> tuple[int, ...]:
    """The rounds whose added rows are among those that a round learned from.

    A round that regressed is not grown from: the next one grows from the best round again.
    """
    rounds = database.ask(
        "SELECT round, label, kept FROM rounds WHERE arm = 'main' AND round > 0 ORDER BY round"
    )
    grown: dict[int, tuple[int, ...]] = {0: (), 1: ()}
    best = 0
    for row in rounds:
        source = best if row["label"] == "regressed" else row["round"]
        grown[row["round"] + 1] = (*grown[source], row["round"])
        best = row["round"] if row["kept"] else best
    return grown[number]


def train_rows_sql(database: RunDatabase, number: int) -> str:
    """The rows that a round learned from (of round 0: those that round 1 learns from)."""
    rounds = ", ".join(map(str, trained(database, number)))
    added = _ADDED.format(rounds=rounds) if rounds else ""
    return (
        "SELECT id, split, place, prompt, reference FROM (SELECT 0 AS after, 0 AS position, id, "
        f"split, place, prompt, reference FROM examples WHERE split = 'train'{added}) "
        "ORDER BY after, position, id"
    )


def additions_sql(
    database: RunDatabase, number: int, view: str = "added", names: Collection[str] = ()
) -> str:
    """One line of ``added`` or ``lineage`` for each row of the main arm, however often it came.

    A row that was added by a round that regressed may be drawn again. The addition that a round
    learned from goes before the others, of these the first.

    Args:
        names: ids of the rows; none for all.
    """
    rounds = ", ".join(map(str, trained(database, number))) or "NULL"
    return (
        f"FROM {view} {among(names) if names else ''} WHERE arm = 'main' "
        "QUALIFY row_number() OVER (PARTITION BY id "
        f"ORDER BY coalesce(round IN ({rounds}), false) DESC, round) = 1"
    )


_ADDED = """
    UNION ALL
    SELECT a.round, a.position, a.id, coalesce(e.split, 'added'), coalesce(e.place, ''),
           a.prompt, a.reference
    FROM added a LEFT JOIN examples e USING (id)
    WHERE a.arm = 'main' AND a.round IN ({rounds})"""
