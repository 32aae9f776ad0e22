"""What rows must be to each other: dealt out by hash, and never on two sides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness import SPLITS
from harness_sources.draws import fraction
from harness_sources.jsonl_files import Reading
from harness_sources.jsonl_rows import Problem, Row

NEEDED = ("train", "dev", "test")
_SIDES = {"train": "train", "pool": "train", "valid": "train", "dev": "dev", "test": "test"}
# A count is filled with whole groups in this order, so that training gets what is left.
_FILL_ORDER = ("dev", "test", "valid", "pool", "train")

Sizes = Mapping[str, int | float]


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
        side = _SIDES[row.split or ""]
        # A row without `group` is its own; that its id is there twice is said elsewhere.
        if side == _SIDES[other.split or ""] or row.id == other.id or (row.group, side) in told:
            continue
        told.add((row.group, side))
        name = json.dumps(row.group, ensure_ascii=False)
        where = f"in {other.split} at {other.place} and in {row.split} here"
        yield row.problem(f"the group {name} is torn apart: {where}", "group")


def _unanswered(rows: Iterable[Row]) -> Iterator[Problem]:
    for row in _split_rows(rows):
        if row.references == [] and _SIDES[row.split or ""] == "train":
            yield row.problem(f"empty answer: {row.split} needs a reference", "references")


def _split_rows(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row.split is not None)


def deal(rows: Sequence[Row], sizes: Sizes, draw: int) -> dict[str, int]:
    """Give a split to the rows without one: whole groups, by a hash of the group's name.

    Rows with one prompt go together as if they were one group. A group of which a row has a
    split follows it. With counts, the rows that are left over keep ``split`` None.

    Returns:
        Split -> rows that are missing, where counts could not be met.
    """
    units = _units(rows)
    open_units: dict[str, list[Row]] = {}
    for name, members in units.items():
        given = next((row.split for row in members if row.split is not None), None)
        if given is None:
            open_units[name] = members
        _assign(members, given)
    if all(isinstance(size, int) for size in sizes.values()):
        return _deal_counts(rows, open_units, sizes, draw)
    for name, members in open_units.items():
        _assign(members, _by_fraction(sizes, fraction(draw, name)))
    return {}


def _assign(rows: Iterable[Row], split: str | None) -> None:
    for row in rows:
        if row.split is None and row.split_known:
            row.split = split


def _by_fraction(sizes: Sizes, at: float) -> str:
    """The split in whose stretch of (0, 1) the hash lies: more data never move a group."""
    end = 0.0
    given = [split for split in SPLITS if sizes.get(split)]
    for split in given:
        end += sizes[split]
        if at < end:
            return split
    return given[-1]


def _deal_counts(
    rows: Sequence[Row], units: Mapping[str, list[Row]], sizes: Sizes, draw: int
) -> dict[str, int]:
    missing = {
        split: int(sizes[split]) - sum(row.split == split for row in rows)
        for split in _FILL_ORDER
        if sizes.get(split)
    }
    for name in sorted(units, key=lambda name: (fraction(draw, name), name)):
        split = next((split for split, count in missing.items() if count > 0), None)
        if split is None:
            break
        _assign(units[name], split)
        missing[split] -= len(units[name])
    return {split: count for split, count in missing.items() if count > 0}


def _units(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows that must stay together (by group or by prompt), named by their least group."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = name = root[root[name]]
        return name

    prompts: dict[str, str] = {}
    for row in rows:
        ends = find(row.group), find(prompts.setdefault(row.prompt, row.group))
        root[max(ends)] = min(ends)
    units: dict[str, list[Row]] = {}
    for row in rows:
        units.setdefault(find(row.group), []).append(row)
    return units
