"""Which row of one file belongs to which row of another, or why that cannot be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness import DataError
from harness_score.tables import Table

SHOWN = 10
_PLACES = 3
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files that are joined.

    Attributes:
        ids: one per row, or None where rows have only their position.
        places: one per row.
    """

    name: str
    ids: Sequence[str] | None
    places: Sequence[str]


class Trouble:
    """Everything that keeps files from being joined; one error tells all of it."""

    def __init__(self) -> None:
        self._details: list[str] = []
        self._kinds: list[str] = []
        self._hints: list[str] = []

    def add(self, kind: str, head: str, items: Sequence[str], hint: str) -> None:
        """One kind of problem of one file, and the rows concerned (ten are shown)."""
        self._details.append(f"{head}:" if items else head)
        self._details += [f"  {item}" for item in items[:SHOWN]]
        if len(items) > SHOWN:
            self._details.append(f"  and {len(items) - SHOWN} more")
        for known, new in ((self._kinds, kind), (self._hints, hint)):
            if new not in known:
                known.append(new)

    def refuse(self) -> None:
        """Do nothing if all is well.

        Raises:
            DataError: there was trouble.
        """
        if self._details:
            raise DataError(
                f"predictions and references do not fit: {', '.join(self._kinds)}; "
                "nothing was scored",
                details=self._details,
                hint="; ".join(self._hints),
            )


def refuse_mix(tables: Sequence[Table]) -> None:
    """Either all files have ids or none.

    Raises:
        DataError: some have and some have not.
    """
    if len({table.has_ids for table in tables}) < 2:
        return
    raise DataError(
        "some files have ids and some have none, so their rows cannot be joined",
        details=[
            f"{table.name}: "
            + (f"ids, the first is {_id(table.rows[0].id or '')}" if table.has_ids else "no ids")
            for table in tables
        ],
        hint="give every file a field `id`, or take it out of all of them to join by position",
    )


def doubled_ids(side: Side, trouble: Trouble) -> None:
    """Note the ids that stand in one file more than once."""
    if side.ids is None or len(set(side.ids)) == len(side.ids):
        return
    places: dict[str, list[str]] = {}
    for name, place in zip(side.ids, side.places, strict=True):
        places.setdefault(name, []).append(place)
    doubled = {name: of_id for name, of_id in places.items() if len(of_id) > 1}
    trouble.add(
        "doubled ids",
        f"{side.name} has {_count(doubled)} more than once",
        [f"{_id(name)} ({_some(of_id)})" for name, of_id in doubled.items()],
        "an id may stand in a file only once",
    )


def align(first: Side, other: Side, trouble: Trouble) -> list[int]:
    """For every row of ``first`` the index of its row in ``other``; worthless after trouble."""
    if first.ids is None or other.ids is None:
        if len(first.places) != len(other.places):
            trouble.add(
                "different lengths",
                f"{other.name} has {_rows(other)}, {first.name} has {_rows(first)}",
                [],
                "rows without ids are joined by position, so all files must be equally long",
            )
        return list(range(len(first.places)))
    doubled_ids(other, trouble)
    if first.ids == other.ids:
        return list(range(len(first.places)))
    index = {name: at for at, name in enumerate(other.ids)}
    place_of = dict(zip(first.ids, first.places, strict=True))
    if place_of.keys() != index.keys():
        _strangers(first, place_of, other, index, trouble)
        return []
    return [index[name] for name in first.ids]


def _strangers(
    first: Side, known: dict[str, str], other: Side, index: dict[str, int], trouble: Trouble
) -> None:
    """Note the ids that only one of the two has."""
    missing = [name for name in known if name not in index]
    surplus = [name for name in index if name not in known]
    alike = {_loose(name): name for name in surplus}
    if missing:
        items = []
        for name in missing:
            twin = alike.get(_loose(name))
            nearly = "" if twin is None else f", but {_id(twin)} ({other.places[index[twin]]})"
            items.append(f"{_id(name)} ({known[name]}){nearly}")
        head = f"{other.name} lacks {_count(missing)} of {first.name}"
        trouble.add("missing ids", head, items, _advice(missing, known, alike))
    if surplus:
        items = [f"{_id(name)} ({other.places[index[name]]})" for name in surplus]
        head = f"{other.name} has {_count(surplus)} that {first.name} does not have"
        trouble.add("surplus ids", head, items, _advice(missing, known, alike))


def _advice(missing: Sequence[str], known: dict[str, str], alike: dict[str, str]) -> str:
    if any(_loose(name) in alike for name in missing):
        return (
            "ids are compared exactly: some differ only in case, white space or the way a "
            "number is written"
        )
    if len(missing) == len(known):
        return "no id is in both: do the files belong together?"
    return "every file must have the same ids: add or remove the rows named"


_NUMBER = re.compile(r"0*(\d+)(?:\.0+)?")


def _loose(name: str) -> str:
    """What two ids that somebody may hold for the same have in common."""
    bare = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    number = _NUMBER.fullmatch(bare)
    return number[1] if number else bare


def _id(name: str) -> str:
    """An id in quotes, so that blanks show; what cannot be printed is written as an escape."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    return f'"{shown}"' if len(shown) <= _WIDTH else f'"{shown[:_WIDTH]}…'


def _some(places: Sequence[str]) -> str:
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return ", ".join(places[:_PLACES]) + more


def _count(ids: Iterable[str]) -> str:
    number = sum(1 for _ in ids)
    return f"{number:,} id{'' if number == 1 else 's'}"


def _rows(side: Side) -> str:
    number = len(side.places)
    return f"{number:,} row{'' if number == 1 else 's'}"
