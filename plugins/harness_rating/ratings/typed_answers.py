"""Better answers that raters typed, on their way into the data.

A person asks for it (``harness rate accept``), and a file says what was accepted
(:mod:`harness.data.correction_file`). The text for a row of dev becomes one more reference of
it; the text for a row of the pool may be proposed as a training row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from harness import CORRECTED_SPLITS, Correction, DataError, Item, prompt_digest
from harness_rating.batches.records import FOLDER, SETTLED, Batch, Rating
from harness_rating.ratings import events
from harness_rating.rubric.scoring import asked

if TYPE_CHECKING:
    from pathlib import Path


def corrections(
    batch: Batch, root: Path = FOLDER, *, items: frozenset[str] | None = None
) -> list[Correction]:
    """The better answers that raters typed and did not take back, the oldest first.

    A settled text stands for all that was typed about that answer. A text that several typed
    counts once, for who typed it first. What was typed when an answer came a second time
    counts, too.

    Args:
        root: where the batches lie.
        items: only what was typed about these; None takes all.

    Raises:
        DataError: a rater's file is damaged, or the batch holds rows that cannot be corrected.
    """
    final = _typed(batch, events.settled(batch, root))
    settled = {_original(batch, one.item) for one in final}
    said = _typed(batch, _asked(batch, events.ratings(batch, root)))
    open_ = [one for one in said if _original(batch, one.item) not in settled]
    shown = {item.id: item for item in batch.items}
    found: dict[tuple[str, str], Correction] = {}
    for one in sorted((*final, *open_), key=lambda one: (one.at, one.rater, one.item)):
        if items is not None and items.isdisjoint((one.item, _original(batch, one.item))):
            continue
        made = _correction(batch, one, shown[one.item])
        found.setdefault(made.text, made)
    return list(found.values())


def _typed(batch: Batch, ratings: Iterable[Rating]) -> list[Rating]:
    names = {c.id for c in batch.rubric.criteria if c.use_as == "reference"}
    return [one for one in ratings if one.criterion in names and isinstance(one.value, str)]


def _asked(batch: Batch, ratings: Sequence[Rating]) -> list[Rating]:
    """The ratings without those that a later answer made pointless."""
    values: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for one in ratings:
        values[one.rater, one.item][one.criterion] = one.value
    known = {
        place: {criterion.id for criterion in asked(batch.rubric, said)}
        for place, said in values.items()
    }
    return [one for one in ratings if one.criterion in known[one.rater, one.item]]


def _original(batch: Batch, item: str) -> str:
    return batch.placings[item].repeat_of or item


def _correction(batch: Batch, one: Rating, item: Item) -> Correction:
    placing = batch.placings[one.item]
    if placing.split not in CORRECTED_SPLITS:
        raise DataError(
            f"item {one.item} is of the split '{placing.split}', and only answers to dev and pool "
            "can be corrected",
            where=f"batch {batch.name}",
        )
    origin = {"batch": batch.name, "item": one.item, "rater": one.rater, "at": one.at}
    prompt = prompt_digest(item.messages)
    rounds = {
        number for other in batch.placings.values()
        if other.example_id == placing.example_id for number in other.rounds
    }  # fmt: skip
    return Correction(
        placing.example_id, placing.split, one.value.strip(), prompt, origin,
        rounds=tuple(sorted(rounds)),
    )  # fmt: skip


def who(correction: Correction) -> str:
    """Who typed it, for people."""
    rater = correction.origin.get("rater", "")
    return f"{rater.removeprefix(SETTLED)}, settled" if rater.startswith(SETTLED) else rater
