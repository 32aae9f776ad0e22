"""What raters preferred, on its way into the data: pairs, texts, ratings over or under a level.

Only answers to the pool may teach: those to dev and test are what rounds are judged by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness import Correction, UsageError, prompt_digest
from harness_rating.batches.records import Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.resolved import OVERALL, Column, ScoredItems
from harness_rating.ratings.typed_answers import corrections

TEACHES = "pool"
"""The split whose answers may teach."""


def preferences(
    batch: Batch, folder: RatingsFolder, *, over: float | None = None, under: float | None = None
) -> list[Correction]:
    """What a batch of the pool says of which answers are preferred to which.

    * A text that somebody typed is preferred to the answers below which it was typed.
    * Of a pair, the answer that was preferred by all who preferred any; where raters disagree,
      and nobody has settled it, the pair says nothing.
    * Of a single answer, with a level: it is good from ``over`` on, and bad up to ``under``
      (overall rating, 0 to 1, raters averaged).

    Raises:
        UsageError: the batch is not of the pool.
        DataError: a rater's file is damaged.
    """
    if any(placing.split != TEACHES for placing in batch.placings.values()):
        raise UsageError(
            f"batch {batch.name} holds answers to dev, which rounds are judged by: none of them "
            "may teach",
            hint="harness rate create --from pool makes a batch whose answers may",
        )
    return [*_typed(batch, folder), *_judged(batch, folder, over, under)]


def _typed(batch: Batch, folder: RatingsFolder) -> Iterator[Correction]:
    for typed in corrections(batch, folder):
        shown = batch.by_id[typed.origin["item"]].answers
        others = tuple(
            dict.fromkeys(text for text in shown if text.strip() not in ("", typed.reference))
        )
        yield replace(typed, rejected=others)


def _judged(
    batch: Batch, folder: RatingsFolder, over: float | None, under: float | None
) -> Iterator[Correction]:
    scored, overall = (
        ScoredItems(batch, folder.all_ratings(batch)),
        Column(batch.rubric, OVERALL, ""),
    )
    for item in batch.originals:
        shown, values = batch.by_id[item], scored.values[item]
        each = [value for one in values.values() if (value := overall.value(one)) is not None]
        if not each or not all(text.strip() for text in shown.answers):
            continue
        if batch.rubric.pairwise:
            wins = {value > 0.5 for value in each if value != 0.5}
            first, second = shown.answers
            if len(wins) != 1 or first.strip() == second.strip():
                continue
            reference, rejected = (first, second) if wins.pop() else (second, first)
        else:
            mean, [answer] = sum(each) / len(each), shown.answers
            good = over is not None and mean >= over
            if not good and (under is None or mean > under):
                continue
            reference, rejected = (answer, "") if good else ("", answer)
        placing, raters = batch.placings[item], ",".join(sorted(values))
        origin = {"batch": batch.name, "item": item, "rater": raters, "at": batch.created}
        yield Correction(
            placing.example_id, placing.split, reference, prompt_digest(shown.messages), origin,
            rounds=tuple(sorted(placing.rounds)), rejected=(rejected,) if rejected else (),
        )  # fmt: skip
