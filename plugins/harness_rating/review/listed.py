"""Files of rows for review: those of the data, by their ids; or live ones, with their answers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from harness import DataError, Example, near
from harness.kit.numbers import counted
from harness.kit.text import one_line
from harness.readers import Record, each_of
from harness.readers.live import LiveRow, read_live
from harness_rating.review.batches import Shown, content, item

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


def is_live(path: Path) -> bool:
    """Whether a file holds live rows; others are JSON lines that list rows of the data."""
    if path.suffix.casefold() not in (".jsonl", ".ndjson"):
        return True
    try:
        with path.open("rb") as stream:
            first = next((line for line in stream if line.strip()), b"")
        value = json.loads(first)
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and not value.keys().isdisjoint(("messages", "prompt"))


def live(path: Path) -> list[Shown]:
    """The rows of a file of live rows, with what the model answered; each text once.

    Raises:
        DataError: the file cannot be read, or a row has no answer.
    """
    rows = read_live(path)
    silent = [row for row in rows if not (row.answer or "").strip()]
    if silent:
        raise DataError(
            f"{len(silent)} of {counted(len(rows), 'row')} have no `answer` to look at",
            where=silent[0].example.place,
            hint="take them out, or fill in their `references` by hand",
        )
    by_content: dict[str, Shown] = {}
    names: set[str] = set()
    for row in rows:
        own = _shown(row, row.example.place if row.example.id in names else row.example.id)
        names.add(row.example.id)
        by_content.setdefault(content(item(own.row)), own)
    return list(by_content.values())


def _shown(row: LiveRow, name: str) -> Shown:
    example = dataclasses.replace(row.example, id=name, references=(row.answer or "",))
    about = {} if row.rating is None else {"rated": f"{row.rating:g}"}
    return Shown(example, about, {**row.example.meta, "origin": row.origin})
