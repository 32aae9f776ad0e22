"""Files that list rows for review: JSON lines with an id, and perhaps a reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness import DataError, Example, near
from harness.kit.text import one_line
from harness.readers import Record, each_of
from harness_rating.review.batches import Shown

LONGEST_REASON = 500
"""Characters of a reason that reviewers see."""


def listed(path: Path, rows: Mapping[str, Example], where: str) -> list[Shown]:
    """The rows that a file lists, in its order, each once; what else a line says is passed over.

    Args:
        rows: id -> row of all that may be listed.
        where: what these are, in words.

    Raises:
        DataError: the file cannot be read, a line is no such line, or names a row that is not
            there.
    """

    def shown(line: Record) -> Shown:
        name, reason = line.get("id"), line.get("reason", "")
        if not isinstance(name, str) or not isinstance(reason, str):
            raise ValueError(
                'a line is {"id": "ID of a row"}, perhaps with a "reason", each a text'
            )
        if name not in rows:
            told = near(name, list(rows))
            raise ValueError(f"there is no row '{one_line(name, 80)}' among {where}{told}")
        why = one_line(reason, LONGEST_REASON)
        return Shown(rows[name], {"suspect": why} if why else {})

    found: dict[str, Shown] = {}
    for one in each_of(path, shown, "harness data suspects -o FILE writes such a file"):
        found.setdefault(one.row.id, one)
    if not found:
        raise DataError("it lists no row", where=str(path))
    return list(found.values())
