"""Files of rows for review: those of the data, by their ids; or live ones, with their answers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from harness import DataError, Example, near
from harness.kit.numbers import counted
from harness.kit.readers import Record, each_of
from harness.kit.readers.live import read_live
from harness.kit.text import one_line
from harness_rating.review.batches import ReviewRow, item_of_row, learned_digest

LONGEST_REASON = 500
"""Characters of a reason that reviewers see."""


def read_listed(path: Path, rows: Mapping[str, Example], where: str) -> list[ReviewRow]:
    """The rows that a file lists, in its order, each once; what else a line says is passed over.

    Args:
        rows: id -> row of all that may be listed.
        where: what these are, in words.

    Raises:
        DataError: the file cannot be read, a line is no such line, or names a row that is not
            there.
    """

    def review_row(line: Record) -> ReviewRow:
        name, reason = line.get("id"), line.get("reason", "")
        if not isinstance(name, str) or not isinstance(reason, str):
            raise ValueError(
                'a line is {"id": "ID of a row"}, perhaps with a "reason", each a text'
            )
        if name not in rows:
            guess = near(name, list(rows))
            raise ValueError(f"there is no row '{one_line(name, 80)}' among {where}{guess}")
        why = one_line(reason, LONGEST_REASON)
        return ReviewRow(rows[name], {"suspect": why} if why else {})

    by_id: dict[str, ReviewRow] = {}
    for listed_row in each_of(path, review_row, "harness data suspects -o FILE writes such a file"):
        by_id.setdefault(listed_row.row.id, listed_row)
    if not by_id:
        raise DataError("it lists no row", where=str(path))
    return list(by_id.values())


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


def read_live_rows(path: Path) -> list[ReviewRow]:
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
    by_content: dict[str, ReviewRow] = {}
    names: set[str] = set()
    for live_row in rows:
        example = live_row.example
        name = example.place if example.id in names else example.id
        names.add(example.id)
        review_row = ReviewRow(
            dataclasses.replace(example, id=name, references=(live_row.answer or "",)),
            {} if live_row.rating is None else {"rated": f"{live_row.rating:g}"},
            {**example.meta, "origin": live_row.origin},
        )
        by_content.setdefault(learned_digest(item_of_row(review_row.row)), review_row)
    return list(by_content.values())
