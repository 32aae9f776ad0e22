"""What raters preferred, on its way into the data: pairs, texts, ratings over or under a level.

Only answers to the pool may teach: those to dev and test are what rounds are judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    items = batch.by_id
    for correction in corrections(batch, folder):
        answers = items[correction.origin["item"]].answers
        others = [text for text in answers if text.strip() not in ("", correction.reference)]
        yield replace(correction, rejected=tuple(dict.fromkeys(others)))


def _judged(
    batch: Batch, folder: RatingsFolder, over: float | None, under: float | None
) -> Iterator[Correction]:
    scored = ScoredItems(batch, folder.all_ratings(batch))
    overall = Column(batch.rubric, OVERALL, "")
    items = batch.by_id
    for item in batch.originals:
        shown, placing, raters = items[item], batch.placings[item], scored.values[item]
        scores = [overall.value(values) for values in raters.values()]
        known = [score for score in scores if score is not None]
        if not known or not all(text.strip() for text in shown.answers):
            continue
        if batch.rubric.pairwise:
            preferred, rejected = _of_a_pair(shown.answers, known)
        else:
            preferred, rejected = _of_one(shown.answers[0], sum(known) / len(known), over, under)
        if not preferred and not rejected:
            continue
        origin = {
            "batch": batch.name, "item": item, "rater": ",".join(sorted(raters)),
            "at": batch.created,
        }  # fmt: skip
        yield Correction(
            placing.example_id, placing.split, preferred, prompt_digest(shown.messages), origin,
            rounds=tuple(sorted(placing.rounds)), rejected=(rejected,) if rejected else (),
        )  # fmt: skip


def _of_a_pair(answers: Sequence[str], preferences: Sequence[float]) -> tuple[str, str]:
    """The preferred and the rejected answer; both empty where raters do not agree."""
    first, second = answers
    prefer_first = {preference > 0.5 for preference in preferences if preference != 0.5}
    if len(prefer_first) != 1 or first.strip() == second.strip():
        return "", ""
    return (first, second) if prefer_first == {True} else (second, first)


def _of_one(answer: str, score: float, over: float | None, under: float | None) -> tuple[str, str]:
    """The answer as a preferred or as a rejected one; both empty where it is neither."""
    if over is not None and score >= over:
        return answer, ""
    if under is not None and score <= under:
        return "", answer
    return "", ""
