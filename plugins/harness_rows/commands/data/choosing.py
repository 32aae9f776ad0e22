"""Which rows are shown."""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness import SPLITS, Example
from harness.kit.draws import spaced
from harness_rows.commands.data.opening import Opened

SHOWN = 3
"""Rows that are shown where nobody says how many."""


def chosen(
    found: Opened, row: str | None, rows: int | None, split: str | None
) -> tuple[Example, ...]:
    """The rows that are asked for: one by its id or place, or some, evenly spaced.

    Raises:
        UsageError: there is no such row or split, or it is of the sealed test set.
    """
    if row is not None:
        return (_named(found, row),)
    among = _of_split(found, split)
    return tuple(spaced(among, SHOWN if rows is None else rows))


def _named(found: Opened, name: str) -> Example:
    for row in found.rows:
        if name in (row.id, row.place):
            if found.sealed and row.split == "test":
                raise _sealed(f"row '{row.id}' is of the test set")
            return row
    near = harness.near(name, [row.id for row in found.rows[:10_000]])
    raise harness.UsageError(
        f"no row has the id or place '{name}'{near}", where=found.where,
        hint=f"such as --row {found.rows[0].id}",
    )  # fmt: skip


def _of_split(found: Opened, split: str | None) -> Sequence[Example]:
    counts = dict.fromkeys(SPLITS, 0)
    for row in found.rows:
        if row.split:
            counts[row.split] += 1
    known = [name for name, count in counts.items() if count]
    if split is None:
        # What is trained on is what people want to see; rows without a split may be, too.
        first = next((name for name in known if name != "test"), "")
        return [row for row in found.rows if not first or row.split == first]
    if split == "test" and found.sealed:
        raise _sealed("the rows of test are not shown")
    if split not in known:
        said = f"splits: {', '.join(known)}" if known else "the rows have no split"
        raise harness.UsageError(
            f"no row is of the split '{split}'{harness.near(split, known)}",
            where=found.where, hint=said,
        )  # fmt: skip
    return [row for row in found.rows if row.split == split]


def _sealed(what: str) -> harness.UsageError:
    return harness.UsageError(
        f"{what}: the test set is sealed", hint="--split dev shows rows that are not trained on"
    )
