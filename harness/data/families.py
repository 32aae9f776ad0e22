"""Which rows belong together, by their group or because one was made from the other."""

from __future__ import annotations

from collections.abc import Sequence

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
