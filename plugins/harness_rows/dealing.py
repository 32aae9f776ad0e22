"""Rows dealt out to the splits: whole groups, by a hash of the group's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from harness import SPLITS, DataError, Example, Split
from harness.kit.draws import fraction

NEEDED = ("train", "dev", "test")
HELD_OUT = ("dev", "test")
SIDES = {"train": "train", "pool": "train", "valid": "train", "dev": "dev", "test": "test"}
"""Split -> the side that a group must not leave."""
# A count is filled with whole groups in this order, so that training gets what is left.
_FILL_ORDER = ("dev", "test", "valid", "pool", "train")

Sizes = Mapping[str, int | float]


class DealtRow(Protocol):
    """A row on its way to a split.

    Attributes:
        split: None where it has to be dealt out.
        split_known: False where a split is given but is not one; such a row is left alone.
        good_answer: whether an answer to it can be scored. A row of rejected answers alone has
            nothing to be scored by: it can be learned from, and belongs to train.
    """

    group: str
    split: str | None
    split_known: bool

    @property
    def good_answer(self) -> bool: ...

    @property
    def prompt(self) -> str:
        """What is asked, evened: rows with one prompt go together."""


def torn(rows: Iterable[Example]) -> list[Example]:
    """Rows whose group has an earlier row on another side; those without a split are on none."""
    sides: dict[str, str] = {}
    with_sides = ((row, SIDES[row.split]) for row in rows if row.split)
    return [row for row, side in with_sides if sides.setdefault(row.group, side) != side]


def check_needed(option: str, splits: Mapping[Split, object]) -> None:
    """Raise ValueError where a split is lacking that every run needs."""
    lacking = [split for split in NEEDED if splits and split not in splits]
    if lacking:
        raise ValueError(f"`{option}` lacks {', '.join(lacking)}")


def check_numbers(sizes: Sequence[int | float], *, whole: bool = True) -> None:
    """Raise ValueError where sizes are neither shares that add up to 1 nor numbers of rows.

    Args:
        whole: whether all splits are given; else something has to be left of 1.
    """
    if any(size < 0 for size in sizes):
        raise ValueError("`sizes` must not be negative")
    shares = [size for size in sizes if isinstance(size, float)]
    if not shares:
        return
    if any(isinstance(size, int) and size for size in sizes):
        raise ValueError("`sizes` must be all shares (.6) or all counts (600)")
    if not whole:
        if sum(shares) >= 1:
            raise ValueError(
                f"the shares in `sizes` add up to {sum(shares):g}: none is left for train"
            )
        return
    if abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"the shares in `sizes` add up to {sum(shares):g}, not to 1")


def deal(rows: Sequence[DealtRow], sizes: Sizes, draw: int) -> dict[str, int]:
    """Give a split to the rows without one: whole groups, by a hash of the group's name.

    Rows with one prompt go together as if they were one group. A group of which a row has a
    split follows it, and one without any good answer goes to train. With counts, the rows that are
    left over keep ``split`` None.

    Returns:
        Split -> rows that are missing, where counts could not be met.
    """
    open_units = _open_units(rows)
    if all(isinstance(size, int) for size in sizes.values()):
        return _deal_counts(rows, open_units, sizes, draw)
    for name, members in open_units.items():
        split = _by_fraction(sizes, fraction(draw, name)) if _has_good_answer(members) else "train"
        _assign(members, split)
    return {}


def require_all(missing: Mapping[str, int], where: str) -> None:
    """Raise where splits lack rows.

    Args:
        missing: split -> rows, as :func:`deal` gives them.

    Raises:
        DataError: there are fewer rows than numbers in ``sizes`` ask for.
    """
    if missing:
        raise DataError(
            "there are fewer rows than `sizes` asks for",
            where=where,
            details=[f"{split}: {count} rows are missing" for split, count in missing.items()],
            hint="lower `sizes`, or give shares (train: .6, dev: .2, test: .2)",
        )


def deal_evenly(
    rows: Sequence[DealtRow], strata: Sequence[str], sizes: Sizes, draw: int
) -> dict[str, int]:
    """Give a split to the rows without one, so that each split has its share of every stratum.

    Units are taken stratum by stratum, each in the order of its hash; the split that lags most
    behind its share gets the next one. A split misses its share of a stratum by the rows of a
    group at most. With counts, rows that are left over keep ``split`` None.

    Args:
        strata: of each row; a unit belongs to that of its first row.

    Returns:
        Split -> rows that are missing, where counts ask for more rows than there are.
    """
    of = {id(row): stratum for row, stratum in zip(rows, strata, strict=True)}
    open_units = _open_units(rows)
    # Of a unit that has a good answer, the rows that dev and test would have of it.
    size_of = {name: rows_in("dev", unit) or len(unit) for name, unit in open_units.items()}
    shares: dict[str | None, float] = {split: float(n) for split, n in sizes.items() if n}
    too_few = False
    if all(isinstance(size, int) for size in sizes.values()):
        scorable, every = sum(size_of.values()), sum(map(len, open_units.values()))
        shares = {
            split: count / max(1, scorable if split in HELD_OUT else every)
            for split, count in _wanted(rows, sizes).items()
        }
        too_few = sum(shares.values()) > 1 + 1e-9
        shares[None] = max(0.0, 1 - sum(shares.values()))
    lag = dict.fromkeys(shares, 0.0)
    order = sorted(open_units, key=lambda name: (of[id(open_units[name][0])], fraction(draw, name)))
    for name in order:
        for split, share in shares.items():
            lag[split] += share * size_of[name]
        good = _has_good_answer(open_units[name])
        takers = [split for split in lag if good or split in ("train", None)]
        chosen = max(takers or lag, key=lambda split: lag[split])
        lag[chosen] -= size_of[name]
        _assign(open_units[name], chosen)
    return _wanted(rows, sizes) if too_few else {}


def _assign(rows: Iterable[DealtRow], split: str | None) -> None:
    for row in rows:
        if row.split is None and row.split_known:
            row.split = split


def _by_fraction(sizes: Sizes, at: float) -> str:
    """The split in whose stretch of (0, 1) the hash lies: more data never move a group."""
    end = 0.0
    dealt_to = [split for split in SPLITS if sizes.get(split)]
    for split in dealt_to:
        end += sizes[split]
        if at < end:
            return split
    return dealt_to[-1]


def _deal_counts(
    rows: Sequence[DealtRow], units: Mapping[str, list[DealtRow]], sizes: Sizes, draw: int
) -> dict[str, int]:
    missing = _wanted(rows, sizes)
    for name in sorted(units, key=lambda name: (fraction(draw, name), name)):
        takers = missing if _has_good_answer(units[name]) else missing.keys() & {"train"}
        split = next((split for split in takers if missing[split] > 0), None)
        if split is not None:
            _assign(units[name], split)
            missing[split] -= rows_in(split, units[name])
    return {split: count for split, count in missing.items() if count > 0}


def _wanted(rows: Sequence[DealtRow], sizes: Sizes) -> dict[str, int]:
    """Split -> rows that it still lacks, where counts are asked for."""
    lacking = {
        split: int(sizes[split]) - rows_in(split, [row for row in rows if row.split == split])
        for split in _FILL_ORDER
        if split in sizes
    }
    return {split: count for split, count in lacking.items() if count > 0}


def _open_units(rows: Sequence[DealtRow]) -> dict[str, list[DealtRow]]:
    """The units that are still to be dealt out; the rows of the others have got their split."""
    open_units: dict[str, list[DealtRow]] = {}
    for name, members in _units(rows).items():
        split = next((row.split for row in members if row.split is not None), None)
        if split is None:
            open_units[name] = members
        else:
            _assign(members, split)
    return open_units


def rows_in(split: str, rows: Iterable[DealtRow]) -> int:
    """How many rows count in a split: in dev and test those alone that can be scored."""
    return sum(row.good_answer or split not in HELD_OUT for row in rows)


def _has_good_answer(unit: Sequence[DealtRow]) -> bool:
    return any(row.good_answer for row in unit)


def _units(rows: Sequence[DealtRow]) -> dict[str, list[DealtRow]]:
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
    units: dict[str, list[DealtRow]] = {}
    for row in rows:
        units.setdefault(find(row.group), []).append(row)
    return units
