"""What rows must be to each other: never on two sides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from harness_rows.dealing import NEEDED, SIDES
from harness_rows.jsonl.files import Reading
from harness_rows.jsonl.rows import Problem, Row


def check(reading: Reading, where: str, is_folder: bool) -> Iterator[Problem]:
    """Problems between rows: ids, groups, splits. (What repeats a held-out prompt is left to the
    core, which says how much that is.)"""
    yield from _unsplit(reading.rows)
    yield from _ids(reading.rows)
    yield from _groups(reading.rows)
    yield from _unanswered(reading.rows)
    unsplit = any(row.split is None for row in reading.rows)
    if None not in reading.doubtful and not unsplit:
        present = {row.split for row in reading.rows} | reading.doubtful
        for split in NEEDED:
            if split not in present:
                why = f": there is no {split}.jsonl" if is_folder else ""
                yield Problem(where, 0, 0, f"the split {split} is empty{why}")


def _unsplit(rows: Iterable[Row]) -> Iterator[Problem]:
    for row in rows:
        if row.split is None and row.split_known:
            yield row.problem("no `split`: give each row one, or set `sizes` to deal them out")


def _ids(rows: Iterable[Row]) -> Iterator[Problem]:
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.id, row)
        if other is row:
            continue
        name = json.dumps(row.id, ensure_ascii=False)
        if other.split == row.split:
            yield row.problem(f"the id {name} is already at {other.place}", "id")
        else:
            where = f"in {other.split} at {other.place} and in {row.split} here"
            yield row.problem(f"the id {name} is in two splits: {where}", "id")


def _groups(rows: Iterable[Row]) -> Iterator[Problem]:
    first: dict[str, Row] = {}
    told: set[tuple[str, str]] = set()
    for row in _split_rows(rows):
        other = first.setdefault(row.group, row)
        side = SIDES[row.split or ""]
        # A row without `group` is its own; that its id is there twice is said elsewhere.
        if side == SIDES[other.split or ""] or row.id == other.id or (row.group, side) in told:
            continue
        told.add((row.group, side))
        name = json.dumps(row.group, ensure_ascii=False)
        where = f"in {other.split} at {other.place} and in {row.split} here"
        yield row.problem(f"the group {name} is torn apart: {where}", "group")


def _unanswered(rows: Iterable[Row]) -> Iterator[Problem]:
    for row in _split_rows(rows):
        if row.references == [] and SIDES[row.split or ""] == "train":
            yield row.problem(f"empty answer: {row.split} needs a reference", "references")


def _split_rows(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row.split is not None)
