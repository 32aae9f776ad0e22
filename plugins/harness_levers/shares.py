"""Which rows are learned: shares for a curve, and parts held out in turn for a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import harness
from harness.kit.files import digest

ENOUGH = 100
"""Rows of valid from which on trials are measured on these alone."""
LEAST = 20
"""Rows of train and valid without which a search would choose by chance."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows that a trial learns, and rows that it is measured on."""

    learned: tuple[harness.Example, ...]
    held: tuple[harness.Example, ...]


def folds_of(
    train: Sequence[harness.Example], valid: Sequence[harness.Example], count: int, seed: int
) -> tuple[Fold, ...]:
    """One fold with the rows of valid where these are enough, else train and valid in parts.

    What belongs together, by group or by lineage, is in one part.

    Args:
        count: of the parts.
        seed: of the order in which families are dealt.

    Raises:
        DataError: the rows, or their families, are too few.
    """
    if len(valid) >= ENOUGH:
        return (Fold(tuple(train), tuple(valid)),)
    rows = (*train, *valid)
    if len(rows) < LEAST:
        raise harness.DataError(
            f"valid is too small for a search: train and valid have {len(rows)} rows together, "
            f"and settings that are chosen on fewer than {LEAST} are chosen by chance",
            where="search",
            hint="take search out, or add rows to train",
        )
    parts = harness.in_parts(rows, count, seed)
    if not all(parts):
        raise harness.DataError(
            f"train and valid have fewer than {count} groups, so they cannot be held out in "
            f"{count} parts",
            where="search.folds",
            hint="fewer folds, or rows in more groups",
        )
    return tuple(
        Fold(
            tuple(row for row in rows if row.id not in part),
            tuple(row for row in rows if row.id in part),
        )
        for part in parts
    )


def share_of(
    rows: Sequence[harness.Example], share: float, seed: int
) -> tuple[harness.Example, ...]:
    """A share of the rows, by whole families; a smaller share is part of a larger one.

    Args:
        share: of their number; above 0, at most 1.
        seed: of the order in which families are drawn.

    Raises:
        DataError: not one family is small enough.
    """
    if share == 1:
        return tuple(rows)
    family = harness.families(rows)
    members: dict[str, list[harness.Example]] = {}
    for row in rows:
        members.setdefault(family[row.id], []).append(row)
    chosen: set[str] = set()
    wanted = share * len(rows)
    for name in sorted(members, key=lambda name: digest([seed, name])):
        chosen |= {row.id for row in members[name]}
        if len(chosen) >= wanted:
            break
    if len(chosen) == len(rows):
        raise harness.DataError(
            f"{100 * share:g} % of {len(rows)} training rows cannot be taken: their groups are too "
            "large",
            where="curve",
            hint="larger shares, or rows in more groups",
        )
    return tuple(row for row in rows if row.id in chosen)
