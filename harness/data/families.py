"""Which rows belong together, by their group or because one was made from the other."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.files import digest
from harness.records import Example


def families(rows: Sequence[Example]) -> dict[str, str]:
    """Example id -> its family, named by an id or a group of it; no text is looked at.

    Rows of one group, a row and its parent, and whoever these belong to are one family.
    """
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while (higher := above.setdefault(name, name)) != name:
            above[name] = above[higher]
            name = higher
        return name

    for row in rows:
        own = f"row {row.id}"
        if row.group:
            above[top(own)] = top(f"group {row.group}")
        if row.parent:
            above[top(own)] = top(f"row {row.parent}")
    return {row.id: top(f"row {row.id}") for row in rows}


def in_parts(rows: Sequence[Example], count: int, seed: int) -> list[set[str]]:
    """The ids of each of so many parts, some of them empty where there are fewer families.

    Large families are dealt first, each to the part that is smallest so far.

    Args:
        seed: of the order in which families of one size are dealt.
    """
    family = families(rows)
    members: dict[str, set[str]] = {}
    for row in rows:
        members.setdefault(family[row.id], set()).add(row.id)
    order = sorted(members, key=lambda name: (-len(members[name]), digest([seed, name])))
    parts: list[set[str]] = [set() for _ in range(count)]
    for name in order:
        min(parts, key=len).update(members[name])
    return parts
