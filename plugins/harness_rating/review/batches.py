"""Batches of rows: what reviewers see of a row, and who reviews which."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import Example, Item, Rubric, to_json
from harness.kit.files import digest
from harness_rating.batches import assignment
from harness_rating.batches.composing import item_of
from harness_rating.batches.records import REVIEW, Batch, Placing
from harness_rating.batches.storage import damaged, publish
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.file import load

THINKING = "thinking"
"""The role under which reviewers see what a row's assistant thinks first, which is learned, too."""
REJECTED = "rejected"
"""The role under which they see answers that a row teaches to avoid."""
OVERLAP = 0.3
"""Share of the rows that two reviewers get, where there are several."""
SEVERAL = 2


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A row that is to be reviewed.

    Attributes:
        about: name -> what reviewers are told of it (its slice, why it is suspect).
        live: of a row that users asked, which is none of the data yet: its ``meta``, and its
            ``origin``.
    """

    row: Example
    about: Mapping[str, str] = dataclasses.field(default_factory=dict)
    live: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@functools.cache
def rubric() -> Rubric:
    """What reviewers are asked."""
    return load(Path(__file__).with_name("row-review.yaml"))


def item_of_row(row: Example, identifier: str = "") -> Item:
    """A row as reviewers see it: what its first reference teaches, and its rejected answers."""
    shown = item_of(identifier, row, row.references[:1], rubric())
    turns = [{"role": REJECTED, "content": text} for text in row.rejected]
    if row.thought:
        turns.append({"role": THINKING, "content": row.thought})
    return dataclasses.replace(shown, messages=(*shown.messages, *turns))


def learned_digest(shown: Item) -> str:
    """Digest of what is learned from a row: decisions are about this, whatever its id."""
    return digest([to_json(shown.messages), list(shown.answers)])


def create(
    folder: RatingsFolder,
    rows: Sequence[ReviewRow],
    raters: Sequence[str],
    *,
    overlap: float | None,
    run: str = "",
) -> Batch:
    """The batch of these rows, made now or before: its name is a digest of content.

    Args:
        overlap: share of the rows that two reviewers get; None is 0.3, or 0 where there is one
            reviewer.
        run: that waits for it; empty where none does.

    Raises:
        EnvironmentFailure: the disk does not take it.
    """
    share = OVERLAP if overlap is None else overlap
    items = [item_of_row(review_row.row) for review_row in rows]
    source = {
        "rows": [
            _row_content(review_row, shown) for review_row, shown in zip(rows, items, strict=True)
        ],
        "raters": list(raters), "overlap": share, "run": run, "rubric": rubric().digest,
    }  # fmt: skip
    name = f"{rubric().id}-{digest(source)[:8]}"
    if not (folder.path / name).exists():
        secret = digest(["secret", source])
        assigned = assignment.raters_of(len(rows), raters, share, SEVERAL, secret)
        publish(_compose(name, rows, items, raters, assigned, run, secret), source, folder.path)
    elif not (folder.path / name / "batch.json").exists():
        raise damaged(folder.path / name)  # there may be decisions in it
    return folder.batch(name)


def _row_content(review_row: ReviewRow, shown: Item) -> list[Any]:
    row_content: list[Any] = [review_row.row.id, learned_digest(shown), dict(review_row.about)]
    if review_row.live:  # the names of batches of other rows rest on these three
        row_content.append(dict(review_row.live))
    return row_content


def _compose(
    name: str, rows: Sequence[ReviewRow], items: Sequence[Item], raters: Sequence[str],
    assigned: Sequence[tuple[str, ...]], run: str, secret: str,
) -> Batch:  # fmt: skip
    ids = assignment.opaque_ids(secret)
    by_id: dict[str, Item] = {}
    placings: dict[str, Placing] = {}
    items_of: dict[str, list[str]] = {rater: [] for rater in raters}
    for review_row, shown, reviewers in zip(rows, items, assigned, strict=True):
        identifier, row = next(ids), review_row.row
        by_id[identifier] = dataclasses.replace(shown, id=identifier, meta=dict(review_row.about))
        placings[identifier] = Placing(
            identifier, row.id, split=row.split, group=row.group or row.id, live=review_row.live
        )
        for rater in reviewers:
            items_of[rater].append(identifier)
    return Batch(
        name, run, rubric(), REVIEW, 0, tuple(raters),
        {rater: tuple(assignment.order(rater, items_of[rater], secret)) for rater in raters},
        tuple(by_id[identifier] for identifier in sorted(by_id)),
        {identifier: placings[identifier] for identifier in sorted(placings)},
        datetime.now(UTC).date().isoformat(), False,
    )  # fmt: skip
