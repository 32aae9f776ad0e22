"""What raters gave to answers, by the answers' texts, whatever batch they rated them in."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

from harness import Criterion, Prediction, Rubric
from harness_rating.batches.records import Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.scoring import normal, overall

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


def numeric_criteria(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria whose values are numbers from 0 to 1: no text, error category or pair."""
    return tuple(
        criterion
        for criterion in rubric.criteria
        if criterion.scale.kind in ("binary", "ordinal", "number") and criterion.use_as is None
    )


def key_of(example_id: str, text: str) -> Key:
    """Under which an answer's ratings are kept."""
    return example_id, digest_of(text)


def digest_of(text: str) -> str:
    """SHA-256 of an answer's text, whatever is in it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def single_answers(batch: Batch) -> dict[str, Key]:
    """Item -> the answer that it shows; hidden repeats and pairs are left out."""
    items = batch.by_id
    return {
        item: key_of(batch.placings[item].example_id, items[item].answers[0])
        for item in batch.originals
        if len(items[item].answers) == 1
    }


AnswerPairs = Mapping[str, tuple[str, str]]
"""Example id -> the texts of two answers to it."""


def shows(batch: Batch, pairs: AnswerPairs) -> bool:
    """Whether a batch is made of these two answers to each of its examples, and no others.

    Another batch may hold some of their texts, since rounds answer alike in places; but those are
    no sample: just what has changed would be missing.
    """
    items = batch.by_id
    sides: dict[str, list[str]] = defaultdict(list)
    for item in batch.originals:
        sides[batch.placings[item].example_id] += items[item].answers
    return bool(sides) and all(
        sorted(answers) == sorted(pairs.get(example, ())) for example, answers in sides.items()
    )


Vector = tuple[float | None, ...]
"""The overall value of an answer, then each counted criterion's."""
_Items = Mapping[str, Sequence[Mapping[str, Vector]]]
"""Digest of a text -> its items in a batch -> rater -> vector."""


class RatingIndex:
    """Ratings by the answers' texts.

    Args:
        batches: of each batch, the older first: example id -> its items.
    """

    def __init__(self, batches: Sequence[Mapping[str, _Items]]) -> None:
        self._batches = batches

    @classmethod
    def read(cls, folder: RatingsFolder, rubric: Rubric, pairs: AnswerPairs | None = None) -> Self:
        """All ratings in the folder by this rubric, of samples of the whole set.

        Args:
            pairs: only of batches that are made of these two checkpoints' answers.
        """

        def latest(batch: Batch) -> str:
            return max((rating.at for rating in folder.ratings(batch)), default="")

        batches = folder.by_rubric(rubric)
        if pairs is not None:
            batches = [batch for batch in batches if shows(batch, pairs)]
        batches.sort(key=latest)
        return cls([_items_of(batch, folder, rubric) for batch in batches])

    def has(self, example_id: str, answer: Prediction) -> bool:
        """Whether somebody has rated the answer, were it that it cannot be judged."""
        return bool(self._vectors(example_id, answer))

    def statistics(self, example_id: str, answer: Prediction) -> list[float] | None:
        """The overall value and each criterion's, then 1 for each that is known; None unrated.

        Raters are averaged. Who has rated an answer in several batches counts once, by the
        latest of them.
        """
        return statistics([*self._vectors(example_id, answer).values()])

    def has_co_rated(self, example_id: str, answer: Prediction, other: Prediction) -> bool:
        """Whether somebody has rated both answers, were it that one cannot be judged."""
        return bool(self._both(example_id, answer, other))

    def co_rated(
        self, example_id: str, answer: Prediction, other: Prediction
    ) -> list[float] | None:
        """The same by those alone who have rated both answers in one batch; None without any.

        Whoever rated only one of them would add a severity of their own.
        """
        both = self._both(example_id, answer, other).values()
        return statistics([vector for vector in both if vector[0] is not None])

    def _both(self, example_id: str, answer: Prediction, other: Prediction) -> dict[str, Vector]:
        """Rater -> what they gave to the answer, of those who rated both in one batch."""
        vectors: dict[str, Vector] = {}
        own, against = digest_of(answer.text), digest_of(other.text)
        for batch in self._batches:
            items = batch.get(example_id, {})
            if own == against:
                # Both answers are one text: who has rated each item that shows it has rated both.
                same = items.get(own, ())
                if len(same) > 1:
                    for rater, vector in _by_rater(same).items():
                        if all(rater in item for item in same):
                            vectors[rater] = vector
                continue
            others = _by_rater(items.get(against, ()))
            for rater, vector in _by_rater(items.get(own, ())).items():
                if rater in others:
                    vectors[rater] = _known_in_both(vector, others[rater])
        return vectors

    def _vectors(self, example_id: str, answer: Prediction) -> dict[str, Vector]:
        vectors: dict[str, Vector] = {}
        for batch in self._batches:
            vectors |= _by_rater(batch.get(example_id, {}).get(digest_of(answer.text), ()))
        return vectors


def _items_of(batch: Batch, folder: RatingsFolder, rubric: Rubric) -> dict[str, _Items]:
    """Example id -> digest of a text -> its items, each with rater -> vector."""
    complete, criteria = folder.complete(batch), numeric_criteria(rubric)
    items: dict[str, dict[str, list[Mapping[str, Vector]]]] = defaultdict(lambda: defaultdict(list))
    for item, (example, text_digest) in single_answers(batch).items():
        vectors: dict[str, Vector] = {}
        for rater, values in complete.get(item, {}).items():
            each = [normal(criterion, values.get(criterion.id)) for criterion in criteria]
            vectors[rater] = (overall(rubric, values), *each)
        # Without raters, too: who has not rated each item of a text has not rated both answers.
        items[example][text_digest].append(vectors)
    return {example: dict(by_text) for example, by_text in items.items()}


def _by_rater(items: Sequence[Mapping[str, Vector]]) -> dict[str, Vector]:
    """Rater -> mean over the items that show one text."""
    raters = dict.fromkeys(rater for item in items for rater in item)
    return {rater: _mean([item[rater] for item in items if rater in item]) for rater in raters}


def _known_in_both(own: Vector, other: Vector) -> Vector:
    return tuple(a if b is not None else None for a, b in zip(own, other, strict=True))


def _mean(vectors: Sequence[Vector]) -> Vector:
    means = []
    for column in zip(*vectors, strict=True):
        numbers = [value for value in column if value is not None]
        means.append(math.fsum(numbers) / len(numbers) if numbers else None)
    return tuple(means)


def statistics(vectors: Sequence[Vector]) -> list[float] | None:
    """The mean of each column, then 1 for each that is known; None without an overall value."""
    means = _mean(vectors)
    return with_counts(means) if vectors and means[0] is not None else None


def with_counts(values: Vector) -> list[float]:
    """Each value, 0 where there is none, then 1 for each that is known."""
    return [*(value or 0.0 for value in values), *(float(value is not None) for value in values)]
