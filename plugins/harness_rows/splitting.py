"""The rows of a reading in their splits: dealt out where they have none, and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from harness import DataError, Example, Split
from harness_rows.dealing import NEEDED, SIDES, deal
from harness_rows.options import RowsOptions
from harness_rows.problems import Problems, refuse
from harness_rows.reading import Reading

_HINT = "each row needs one split: `sizes: {train: .6, pool: .1, dev: .15, test: .15}` deals them"


class _Row:
    """A row on its way to a split, see :class:`harness_rows.dealing.Dealt`."""

    __slots__ = ("example", "group", "split", "split_known")

    def __init__(self, example: Example, group: str, split: str | None) -> None:
        self.example, self.group, self.split = example, group, split
        self.split_known = True

    @property
    def prompt(self) -> str:
        turns = (m for m in self.example.messages if m["role"] not in ("system", "developer"))
        texts = [f"{turn['role']}: {turn['content']}" for turn in turns if turn.get("content")]
        return " ".join("\n".join(texts).casefold().split())


def dealt(reading: Reading, options: RowsOptions) -> list[Example]:
    """The rows with their splits; with numbers as sizes, those left over are not among them.

    Raises:
        DataError: rows cannot be dealt out as ``sizes`` says, or contradict each other.
    """
    rows = [_Row(row, row.group, str(row.split) or None) for row in reading.rows]
    if options.sizes:
        _require(_deal(rows, options), reading.where)
    problems = Problems()
    kept = list(_kept(rows, bool(options.sizes), problems))
    for check in (_ids, _groups):
        check(kept, problems)
    refuse(problems.lines, problems.count, reading.where, _HINT)
    counts = {row.split for row in kept}
    lacking = [split for split in NEEDED if split not in counts]
    if lacking:
        raise DataError(f"no row is of {' or '.join(lacking)}", where=reading.where, hint=_HINT)
    return kept


def _deal(rows: Sequence[_Row], options: RowsOptions) -> Mapping[str, int]:
    return deal(rows, {str(split): n for split, n in options.sizes.items()}, options.draw)


def _require(missing: Mapping[str, int], where: str) -> None:
    if missing:
        raise DataError(
            "there are fewer rows than `sizes` asks for",
            where=where,
            details=[f"{split}: {count} rows are missing" for split, count in missing.items()],
            hint="lower `sizes`, or give shares (train: .6, dev: .2, test: .2)",
        )


def _kept(rows: Sequence[_Row], sized: bool, problems: Problems) -> Iterator[Example]:
    for row in rows:
        if row.split is not None:
            yield dataclasses.replace(row.example, split=cast(Split, row.split), group=row.group)
        elif not sized:
            _note(problems, "the row has no split", row.example)


def _note(problems: Problems, reason: str, row: Example, column: str = "") -> None:
    file, _, number = row.place.rpartition(":")
    problems.add(reason, file, int(number), column)


def _ids(rows: Sequence[Example], problems: Problems) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            _note(problems, "an earlier row has this id", row, "id")
        seen.add(row.id)


def _groups(rows: Sequence[Example], problems: Problems) -> None:
    sides: dict[str, str] = {}
    for row in rows:
        side = SIDES[row.split]
        if sides.setdefault(row.group, side) != side:
            _note(problems, "its group has rows in another split", row, "group")
