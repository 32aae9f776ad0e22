"""Rows as a set: their digest, their groups, and the cut of ``valid`` from train."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from harness.kit.files import digest
from harness.records import Example, to_json


def rows_digest(rows: Sequence[Example], *, lineage: bool = False) -> str:
    """Content digest of rows; where they lie does not count, where they come from may."""
    skip = {"place"} if lineage else {"place", "origin", "parent", "split"}
    rows_json = [{k: v for k, v in to_json(row).items() if k not in skip} for row in rows]
    for row_json in rows_json:
        if not row_json["thought"]:
            del row_json["thought"]  # so that rows without one have the digest they always had
    return digest(rows_json)


def group_of(row: Example) -> str:
    """The row's group; one without is a group of its own, whose name no other can have."""
    return row.group or f"\0{row.id}"


def groups_of(rows: Sequence[Example]) -> dict[str, str]:
    """Example id -> :func:`group_of` it."""
    return {row.id: group_of(row) for row in rows}


def with_valid(rows: Sequence[Example], share: float, seed: int) -> tuple[Example, ...]:
    """Cut ``valid`` from train by whole groups, unless the source gave one."""
    train = [row for row in rows if row.split == "train"]
    if share == 0 or any(row.split == "valid" for row in rows) or len(train) < 2:
        return tuple(rows)
    groups = Counter(row.group or row.id for row in train)
    order = sorted(groups, key=lambda name: digest([seed, name]))
    wanted, chosen, size = round(share * len(train)), set[str](), 0
    for name in order:
        # A group that would make valid half as large again as asked for stays in train.
        if size < wanted and size + groups[name] <= max(wanted * 1.5, 1):
            chosen.add(name)
            size += groups[name]
    return tuple(
        dataclasses.replace(row, split="valid")
        if row.split == "train" and (row.group or row.id) in chosen
        else row
        for row in rows
    )


def grown(train: Sequence[Example], added: Sequence[Example]) -> tuple[Example, ...]:
    """Train with the added rows; one whose origin names a row that it ``replaces`` stands in its
    place."""
    replaced = {(row.origin or {}).get("replaces") for row in added}
    return (*(row for row in train if row.id not in replaced), *added)
