"""Which row of one file belongs to which row of another, or why that cannot be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from harness import DataError
from harness.kit.numbers import counted
from harness_score.fields import Row
from harness_score.tables import Table

SHOWN = 10
_PLACES = 3
_WIDTH = 60


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
    if len({table.ids is None for table in tables}) < 2:
        return
    raise DataError(
        "some files have ids and some have none, so their rows cannot be joined",
        details=[
            f"{table.name}: "
            + ("no ids" if table.ids is None else f"ids, the first is {_id(table.ids[0])}")
            for table in tables
        ],
        hint="give every file a field `id`, or take it out of all of them to join by position",
    )


def doubled_ids(table: Table, trouble: Trouble) -> None:
    """Note the ids that stand in one file more than once."""
    ids = table.ids
    if ids is None or len(set(ids)) == len(ids):
        return
    places: dict[str, list[str]] = {}
    for name, row in zip(ids, table.rows, strict=True):
        places.setdefault(name, []).append(row.place)
    doubled = {name: of_id for name, of_id in places.items() if len(of_id) > 1}
    trouble.add(
        "doubled ids",
        f"{table.name} has {counted(len(doubled), 'id')} more than once",
        [f"{_id(name)} ({_some(of_id)})" for name, of_id in doubled.items()],
        "an id may stand in a file only once",
    )


def align(first: Table, other: Table, trouble: Trouble) -> list[Row]:
    """For every row of ``first`` its row in ``other``; worthless after trouble."""
    ids, other_ids = first.ids, other.ids
    if ids is None or other_ids is None:
        if len(first.rows) != len(other.rows):
            trouble.add(
                "different lengths",
                f"{other.name} has {counted(len(other.rows), 'row')}, "
                f"{first.name} has {counted(len(first.rows), 'row')}",
                [],
                "rows without ids are joined by position, so all files must be equally long",
            )
        return list(other.rows)
    doubled_ids(other, trouble)
    if ids == other_ids:
        return list(other.rows)
    known = dict(zip(ids, first.rows, strict=True))
    index = dict(zip(other_ids, other.rows, strict=True))
    if known.keys() != index.keys():
        _strangers(first.name, known, other.name, index, trouble)
        return []
    return [index[name] for name in ids]


def _strangers(
    first: str, known: dict[str, Row], other: str, index: dict[str, Row], trouble: Trouble
) -> None:
    """Note the ids that only one of the two has."""
    missing = [name for name in known if name not in index]
    surplus = [name for name in index if name not in known]
    alike = {_loose(name): name for name in surplus}
    if missing:
        items = []
        for name in missing:
            twin = alike.get(_loose(name))
            nearly = "" if twin is None else f", but {_id(twin)} ({index[twin].place})"
            items.append(f"{_id(name)} ({known[name].place}){nearly}")
        head = f"{other} lacks {counted(len(missing), 'id')} of {first}"
        trouble.add("missing ids", head, items, _advice(missing, known, alike))
    if surplus:
        items = [f"{_id(name)} ({index[name].place})" for name in surplus]
        head = f"{other} has {counted(len(surplus), 'id')} that {first} does not have"
        trouble.add("surplus ids", head, items, _advice(missing, known, alike))


def _advice(missing: Sequence[str], known: Mapping[str, Row], alike: dict[str, str]) -> str:
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
