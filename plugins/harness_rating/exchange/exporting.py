"""Ratings on their way to other programs.

``csv`` holds one row for each value, mark and comment, ``jsonl`` the events themselves;
both can be imported again (:mod:`harness_rating.exchange.importing`).

Exports are for the team: but for ``jsonl`` they name examples and rounds, so they must not reach
a rater before the rating is over. ``sheet`` alone is for raters: what they have not rated yet
(:mod:`harness_rating.exchange.blank_sheet`).
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness import Criterion, Item, UsageError, near, to_json
from harness.kit.files import canonical
from harness.kit.text import storable
from harness_rating.batches.records import REVIEW, Batch, Rating
from harness_rating.exchange.blank_sheet import blank_sheet
from harness_rating.exchange.cells import CANNOT_JUDGE, COLUMNS, as_csv, cell_value
from harness_rating.exchange.other_tools import argilla, label_studio, prompt
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import ItemState
from harness_rating.rubric.scales import label
from harness_rating.rubric.scoring import normal

JSONL_SCHEMA = "harness.events/1"
EVERYBODY = "*"


def export_batch(batch: Batch, to: str, folder: RatingsFolder, rater: str | None = None) -> bytes:
    """The batch's ratings in that form, UTF-8.

    Args:
        rater: whose sheet; None gives those of all in one.

    Raises:
        UsageError: there is no such form or rater.
        DataError: a line of a rater's file is damaged.
    """
    if to not in FORMATS:
        formats = ", ".join(FORMATS)
        raise UsageError(
            f"--to: there is no form '{to}'{near(to, list(FORMATS))}", hint=f"there are: {formats}"
        )
    if rater is None:
        return FORMATS[to](batch, folder)
    if to != "sheet":
        raise UsageError(f"--rater: a sheet is one person's, and '{to}' is all raters'",
                         hint="--to sheet --rater NAME")  # fmt: skip
    if rater not in batch.raters:
        raise UsageError(
            f"--rater: {batch.name} has no rater '{rater}'{near(rater, batch.raters)}",
            hint=f"there are: {', '.join(batch.raters)}",
        )
    return _sheet(batch, folder, (rater,))


def _sheet(batch: Batch, folder: RatingsFolder, raters: Sequence[str] | None = None) -> bytes:
    return blank_sheet(batch, folder, batch.raters if raters is None else raters)


def _csv(batch: Batch, folder: RatingsFolder) -> bytes:
    items = batch.by_id
    rows: list[dict[str, Any]] = []
    for rater in (*batch.raters, *folder.settlers(batch)):
        ratings = {
            (rating.item, rating.criterion): rating for rating in folder.ratings(batch, rater)
        }
        for state in folder.state(batch, rater).items:
            rows += _cells(batch, rater, state, items[state.item], ratings)
    return as_csv(COLUMNS, rows)


def _cells(
    batch: Batch, rater: str, state: ItemState, item: Item,
    ratings: Mapping[tuple[str, str], Rating],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    placing = batch.placings[item.id]
    sides = [*item.answers, ""]
    common = {
        "batch": batch.name, "rubric": batch.rubric_name, "rater": rater, "item": item.id,
        "seconds": state.seconds, "example": placing.example_id, "arm": placing.arm,
        "rounds": " ".join(map(str, placing.rounds)), "split": placing.split,
        "repeat_of": placing.repeat_of, "prompt": prompt(item), "answer_a": sides[0],
        "answer_b": sides[1],
    }  # fmt: skip
    for criterion in batch.rubric.criteria:
        rating = ratings.get((item.id, criterion.id))
        if rating is not None:
            kind = CANNOT_JUDGE if rating.value is None else "set"
            value = cell_value(rating.value)
            yield {
                **common,
                "kind": kind,
                "criterion": criterion.id,
                "value": value,
                "at": rating.at,
            }
    marks = {"skip": state.status == "skipped", "flag": state.flagged}
    for kind, stands in marks.items():
        if stands:
            yield {**common, "kind": kind, "value": "yes", "at": state.at}
    if state.comment:
        yield {**common, "kind": "comment", "value": state.comment, "at": state.at}


def _jsonl(batch: Batch, folder: RatingsFolder) -> bytes:
    """The events, below a first line that says whose they are and proves them whole."""
    raters = (*batch.raters, *folder.settlers(batch))
    events = [event for rater in raters for event in folder.events(batch, rater)]
    body = b"".join(canonical(to_json(event)) + b"\n" for event in events)
    head = {
        "schema": JSONL_SCHEMA, "batch": batch.name, "rubric": batch.rubric_name,
        "rater": EVERYBODY, "events": len(events), "crc32": checksum(b"\n" + body, b""),
    }  # fmt: skip
    return json.dumps(head).encode() + b"\n" + body


def checksum(data: bytes, head: bytes) -> str:
    """CRC-32 of all that follows the first line, in 8 hex digits; it guards against accidents,
    and a page can compute it too.
    """
    return f"{zlib.crc32(data[len(head) + 1 :]):08x}"


def _rows(batch: Batch, folder: RatingsFolder) -> bytes:
    """Reviewed rows with what was decided, as it is to be learned; a line each."""
    from harness_rating.review.decisions import as_lines

    if batch.strategy != REVIEW:
        raise UsageError(f"--to rows: batch {batch.name} holds answers of a run, and no rows")
    return b"".join(canonical(line) + b"\n" for line in as_lines(batch, folder))


def _learned(batch: Batch, folder: RatingsFolder, *, split: str) -> bytes:
    """Reviewed live rows as rows of a split; a line each."""
    from harness_rating.review.decisions import as_learned

    if not all(placing.live for placing in batch.placings.values()):
        raise UsageError(
            f"--to {split}: batch {batch.name} holds no live rows",
            hint="harness rate review LIVE makes a batch of live rows",
        )
    return b"".join(canonical(row) + b"\n" for row in as_learned(batch, folder, split))


FORMATS: Mapping[str, Callable[[Batch, RatingsFolder], bytes]] = {
    "csv": _csv,
    "sheet": _sheet,
    "jsonl": _jsonl,
    "label-studio": label_studio,
    "argilla": argilla,
    "rows": _rows,
    "train": functools.partial(_learned, split="train"),
    "pool": functools.partial(_learned, split="pool"),
}


def rows_for_store(batch: Batch, ratings: Iterable[Rating]) -> Iterator[dict[str, Any]]:
    """Ratings as rows of a database, plain texts and numbers only.

    A rating that compares two answers gives one row for each: ``value_text`` is then ``better``,
    ``worse`` or ``tie``, ``value_number`` 1, 0 or 0.5, ``against`` the other answer's round.
    """
    for rating in ratings:
        placing = batch.placings[rating.item]
        criterion = batch.rubric.criterion(rating.criterion)
        common = {
            "batch": batch.name, "rater": rating.rater, "item": rating.item,
            "example_id": storable(placing.example_id), "arm": placing.arm,
            "criterion": rating.criterion, "at": rating.at, "repeat": placing.repeat_of is not None,
            "judged": rating.value is not None,
        }  # fmt: skip
        for round_, against, words, number in _sides(criterion, rating.value, placing.rounds):
            yield {
                **common, "round": round_, "against": against,
                "value_text": words, "value_number": number,
            }  # fmt: skip


def _sides(
    criterion: Criterion, value: Any, rounds: Sequence[int]
) -> Iterator[tuple[int, int | None, str, float | None]]:
    number = normal(criterion, value)
    if criterion.scale.kind != "pairwise":
        words = storable(str(cell_value(value))) if value is not None else label(None)
        yield rounds[0], None, words, number
        return
    for own, other, score in ((0, 1, number), (1, 0, None if number is None else 1 - number)):
        names = {1.0: "better", 0.0: "worse", 0.5: "tie", None: label(None)}
        yield rounds[own], rounds[other], names[score], score
