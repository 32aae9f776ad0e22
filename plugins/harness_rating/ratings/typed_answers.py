"""Better answers that raters typed, on their way into the data.

A person asks for it (``harness rate accept``), and a file says what was accepted
(:mod:`harness.data.correction_file`). The text for a row of dev becomes one more reference of
it; the text for a row of the pool may be proposed as a training row.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness import CORRECTED_SPLITS, Correction, DataError, Item, prompt_digest
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.ratings.folder import RatingsFolder


def corrections(
    batch: Batch, folder: RatingsFolder, *, items: frozenset[str] | None = None
) -> list[Correction]:
    """The better answers that raters typed and did not take back, the oldest first.

    A settled text stands for all that was typed about that answer. A text that several typed
    counts once, for who typed it first. What was typed when an answer came a second time
    counts, too.

    Args:
        items: only what was typed about these; None takes all.

    Raises:
        DataError: a rater's file is damaged, or the batch holds rows that cannot be corrected.
    """
    settled = _typed(batch, folder.settled(batch))
    ended = {batch.original(rating.item) for rating in settled}
    standing = [
        rating
        for rating in _typed(batch, folder.ratings(batch))
        if batch.original(rating.item) not in ended
    ]
    shown = batch.by_id
    by_text: dict[tuple[str, ...], Correction] = {}
    for rating in sorted(
        [*settled, *standing], key=lambda rating: (rating.at, rating.rater, rating.item)
    ):
        if items is None or rating.item in items or batch.original(rating.item) in items:
            correction = _correction(batch, rating, shown[rating.item])
            by_text.setdefault(correction.text, correction)
    return list(by_text.values())


def _typed(batch: Batch, ratings: Iterable[Rating]) -> list[Rating]:
    names = {criterion.id for criterion in batch.rubric.criteria if criterion.use_as == "reference"}
    return [
        rating for rating in ratings if rating.criterion in names and isinstance(rating.value, str)
    ]


def _correction(batch: Batch, rating: Rating, item: Item) -> Correction:
    placing = batch.placings[rating.item]
    if placing.split not in CORRECTED_SPLITS:
        raise DataError(
            f"item {rating.item} is of the split '{placing.split}', and only answers to dev and "
            "pool can be corrected",
            where=f"batch {batch.name}",
        )
    origin = {"batch": batch.name, "item": rating.item, "rater": rating.rater, "at": rating.at}
    prompt = prompt_digest(item.messages)
    rounds = {
        number for other in batch.placings.values()
        if other.example_id == placing.example_id for number in other.rounds
    }  # fmt: skip
    return Correction(
        placing.example_id, placing.split, rating.value.strip(), prompt, origin,
        rounds=tuple(sorted(rounds)),
    )  # fmt: skip


def author_of(correction: Correction) -> str:
    """Who typed it, as shown."""
    rater = correction.origin.get("rater", "")
    return f"{rater.removeprefix(SETTLED)}, settled" if rater.startswith(SETTLED) else rater
