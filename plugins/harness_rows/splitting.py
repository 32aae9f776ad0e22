"""The rows of a reading in their splits: dealt out where they have none, and checked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from harness import DataError, Example, Split
from harness.kit.alike.exact import later
from harness.kit.draws import fraction
from harness.kit.folding import loosely
from harness.kit.readers import Fault, Problems
from harness_rows.dealing import HELD_OUT, NEEDED, SIDES, deal, deal_evenly, require_all, torn
from harness_rows.options import RowsOptions
from harness_rows.prompts import NEAR, evened
from harness_rows.reading import Reading

_HINT = "each row needs one split: `sizes: {train: .6, pool: .1, dev: .15, test: .15}` deals them"
_IDS_HINT = "an id names one row; where this column is none, name another (`columns: {id: …}`)"

Watch = Callable[[int, int], None]


class _Row:
    """A row on its way to a split, see :class:`harness_rows.dealing.DealtRow`."""

    __slots__ = ("example", "group", "split", "split_known")

    def __init__(self, example: Example, group: str, split: str | None) -> None:
        self.example, self.group, self.split = example, group, split
        self.split_known = True

    @property
    def prompt(self) -> str:
        return evened(self.example.messages)

    @property
    def good_answer(self) -> bool:
        return bool(self.example.references)


def dealt(
    reading: Reading, options: RowsOptions, watch: Watch = lambda done, total: None
) -> list[Example]:
    """The rows with their splits; with numbers as sizes, those left over are not among them.

    Args:
        watch: is told how far near-equal prompts have been looked for (``group: auto``).

    Raises:
        DataError: rows cannot be dealt out as ``sizes`` says, or contradict each other.
    """
    problems = Problems()
    for row in later(reading.rows, lambda row: row.id):
        _note(problems, "an earlier row has this id", row, "id")
    problems.refuse(reading.where, _IDS_HINT)
    examples = scorable(reading.rows)
    groups = _groups_of(examples, options, watch)
    rows = [
        _Row(row, group, str(row.split) or None)
        for row, group in zip(examples, groups, strict=True)
    ]
    if options.sizes:
        require_all(_deal(rows, options), reading.where)
    in_splits = scorable(_in_splits(rows, bool(options.sizes), problems))
    for row in torn(in_splits):
        _note(problems, "its group has rows in another split", row, "group")
    problems.refuse(reading.where, _HINT)
    splits = {row.split for row in in_splits}
    lacking = [split for split in NEEDED if split not in splits]
    if lacking:
        raise DataError(f"no row is of {' or '.join(lacking)}", where=reading.where, hint=_HINT)
    return in_splits


def scorable(rows: Iterable[Example]) -> list[Example]:
    """The rows without those of dev and test that have rejected answers alone: answers to these
    could not be scored."""
    return [row for row in rows if row.references or row.split not in HELD_OUT]


def _groups_of(rows: Sequence[Example], options: RowsOptions, watch: Watch) -> list[str]:
    """The group of each row; with ``group: auto`` the id of the first row that it is like."""
    if options.group != "auto":
        return [row.group for row in rows]
    from harness.kit.alike.pairs import clusters

    prompts = [loosely(evened(row.messages)) for row in rows]
    clusters_of = clusters(prompts, NEAR, watch)
    # Sides that the files have given stay as they are, near repeats between them are reported by
    # the core; a row without a split goes where the first given one of its cluster is.
    sides = [SIDES.get(row.split, "") for row in rows]
    side_of: dict[int, str] = {}
    for cluster, side in zip(clusters_of, sides, strict=True):
        if side:
            side_of.setdefault(cluster, side)
    names: dict[tuple[int, str], str] = {}
    return [
        names.setdefault((cluster, side or side_of.get(cluster, "")), row.id)
        for row, cluster, side in zip(rows, clusters_of, sides, strict=True)
    ]


def _deal(rows: Sequence[_Row], options: RowsOptions) -> Mapping[str, int]:
    """Deal rows out; how many are missing of each split."""
    sizes: dict[str, int | float] = {str(split): size for split, size in options.sizes.items()}
    are_counts = all(isinstance(size, int) for size in sizes.values())
    if are_counts:
        _draw(rows, options)
        rows = [row for row in rows if row.split_known]
    from_train = "train" not in sizes
    # Then what is given to train is dealt again, and what the other splits leave is train's.
    if from_train:
        if are_counts:
            counts = Counter(row.split for row in rows)
            sizes = {split: size - counts[split] for split, size in sizes.items()}
        else:
            sizes["train"] = 1.0 - sum(sizes.values())
        rows = [row for row in rows if row.split in (None, "train")]
        for row in rows:
            row.split = None
    if options.stratify:
        strata = [_stratum(row, options) for row in rows]
        missing = deal_evenly(rows, strata, sizes, options.draw)
    else:
        missing = deal(rows, sizes, options.draw)
    for row in rows:
        if from_train and row.split is None:
            row.split = "train"
    return missing


def _draw(rows: Sequence[_Row], options: RowsOptions) -> None:
    """Of a split that the files give more rows than ``sizes`` asks for, draw so many.

    Each stratum keeps its share: its rows are spread evenly over (0, 1) in the order of a hash, and
    those that lie lowest of the whole split are drawn.
    """
    for split, size in options.sizes.items():
        members = [row for row in rows if row.split == split]
        members.sort(key=lambda row: fraction(options.draw, row.example.id))
        strata = Counter(_stratum(row, options) for row in members)
        ranks: Counter[str] = Counter()
        places = []
        for row in members:
            stratum = _stratum(row, options)
            places.append((ranks[stratum] + 0.5) / strata[stratum])
            ranks[stratum] += 1
        order = sorted(range(len(members)), key=places.__getitem__)
        for at in order[int(size) :]:
            members[at].split = None
            members[at].split_known = False  # or it would be dealt to another split


def _stratum(row: _Row, options: RowsOptions) -> str:
    return str(row.example.meta.get(options.stratify, ""))


def _in_splits(rows: Sequence[_Row], sized: bool, problems: Problems) -> Iterator[Example]:
    for row in rows:
        if row.split is not None:
            yield dataclasses.replace(row.example, split=cast(Split, row.split), group=row.group)
        elif not sized:
            _note(problems, "the row has no split", row.example)


def _note(problems: Problems, reason: str, row: Example, column: str = "") -> None:
    file, _, number = row.place.rpartition(":")  # as the converter makes places
    problems.add(Fault(reason, file, int(number), column))
