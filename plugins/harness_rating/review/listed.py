"""Files that list rows for review: JSON lines with an id, and perhaps a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import DataError, Example, near
from harness.kit.strict_json import Fault, parse
from harness.kit.text import one_line
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
    shown: dict[str, Shown] = {}
    for place, line in _objects(path):
        name, reason = line.get("id"), line.get("reason", "")
        if not isinstance(name, str) or not isinstance(reason, str):
            raise DataError(
                'a line is {"id": "ID of a row"}, perhaps with a "reason", each a text', where=place
            )
        if name not in rows:
            raise DataError(
                f"there is no row '{one_line(name, 80)}' among {where}{near(name, list(rows))}",
                where=place,
            )
        why = one_line(reason, LONGEST_REASON)
        shown.setdefault(name, Shown(rows[name], {"suspect": why} if why else {}))
    if not shown:
        raise DataError("it lists no row", where=str(path))
    return list(shown.values())


def _objects(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each line that is not blank, with its place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror}", where=str(path)) from None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            value = parse(line)
        except Fault as fault:
            raise DataError(f"this line is cut or damaged: {fault}", where=place) from None
        if not isinstance(value, dict):
            raise DataError("this line is no JSON object", where=place)
        yield place, value
