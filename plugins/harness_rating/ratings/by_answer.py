"""What people said of answers, by the answers' texts, whatever batch they said it in."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from harness import ConfigError, Criterion, Prediction, Rubric
from harness_rating.batches import storage as batches
from harness_rating.batches.candidates import text
from harness_rating.batches.records import Batch
from harness_rating.ratings import events
from harness_rating.ratings.resolved import Said, complete
from harness_rating.rubric.scoring import normal, overall, version_problem

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


def counted(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria whose values are numbers from 0 to 1: no texts, no names of errors, no pairs."""
    kinds = ("binary", "ordinal", "number")
    return tuple(c for c in rubric.criteria if c.scale.kind in kinds and c.use_as is None)


def key_of(example_id: str, text: str) -> Key:
    """Under which an answer's ratings are kept."""
    return example_id, digest_of(text)


def digest_of(text: str) -> str:
    """SHA-256 of an answer's text, whatever is in it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def files(folder: Path, rubric: Rubric, *, samples: bool = True) -> list[Path]:
    """Everything that the ratings by this rubric are read from, in a fixed order.

    Args:
        samples: only of batches that stand for the whole set.
    """
    found: list[Path] = []
    for batch in batches_by(folder, rubric, samples=samples):
        place = folder / batch.name
        found += [place / "batch.json", *sorted((place / "events").glob("*.jsonl"))]
    return found


def batches_by(folder: Path, rubric: Rubric, *, samples: bool = True) -> list[Batch]:
    """The batches that were rated by this rubric and version.

    Args:
        samples: only those that stand for the whole set.

    Raises:
        ConfigError: the rubric's wording has changed since, and its version has not.
    """
    found = []
    for name in sorted(batches.names(folder)):
        if not batches.made_by(folder, name, rubric):
            continue
        batch = batches.load(folder, name)
        trouble = version_problem(batch.rubric, rubric)
        if trouble:
            raise ConfigError(trouble, where=f"batch {name}", hint="or restore the wording")
        if batch.verdicts or not samples:
            found.append(batch)
    return found


def people_of(batch: Batch, folder: Path) -> Said:
    """Item -> rater -> criterion -> value, of all that a rater has answered whole.

    See :mod:`harness_rating.ratings.resolved`.
    """
    return complete(batch, [*events.ratings(batch, folder), *events.settled(batch, folder)])


Two = Mapping[str, tuple[str, str]]
"""Example id -> the texts of two answers to it."""


def shows(batch: Batch, two: Two) -> bool:
    """Whether a batch is made of these two answers to each of its examples, and no others.

    Another batch may hold some of their texts, since rounds answer alike in places; but those are
    no sample: just what has changed would be missing.
    """
    sides: dict[str, list[str]] = defaultdict(list)
    for item in batch.items:
        placing = batch.placings[item.id]
        if placing.repeat_of is None:
            sides[placing.example_id] += item.answers
    return bool(sides) and all(
        sorted(answers) == sorted(two.get(example, ())) for example, answers in sides.items()
    )


Vector = tuple[float | None, ...]
"""The overall value of an answer, then each counted criterion's."""
_Items = Mapping[str, Sequence[Mapping[str, Vector]]]
"""Digest of a text -> its items in a batch -> rater -> vector."""


class Rated:
    """What raters have said of answers, by the answers' texts.

    Args:
        batches: of each batch, the older first: example id -> its items.
    """

    def __init__(self, batches: Sequence[Mapping[str, _Items]]) -> None:
        self._batches = batches

    @classmethod
    def read(cls, folder: Path, rubric: Rubric, two: Two | None = None) -> Self:
        """All ratings in the folder by this rubric, of samples of the whole set.

        Args:
            two: only of batches that are made of these two checkpoints' answers.
        """
        found = [one for one in batches_by(folder, rubric) if two is None or shows(one, two)]
        found.sort(key=lambda one: _latest(one, folder))
        return cls([_items_of(batch, folder, rubric) for batch in found])

    def has(self, example_id: str, answer: Prediction) -> bool:
        """Whether somebody has rated the answer, were it that it cannot be judged."""
        return bool(self._vectors(example_id, answer))

    def statistics(self, example_id: str, answer: Prediction) -> list[float] | None:
        """The overall value and each criterion's, then 1 for each that is known; None unrated.

        Raters are averaged. Who has rated an answer in several batches counts once, by the
        latest of them.
        """
        return _statistics([*self._vectors(example_id, answer).values()])

    def has_beside(self, example_id: str, answer: Prediction, other: Prediction) -> bool:
        """Whether somebody has rated both answers, were it that one cannot be judged."""
        return bool(self._both(example_id, answer, other))

    def beside(self, example_id: str, answer: Prediction, other: Prediction) -> list[float] | None:
        """The same by those alone who have rated both answers in one batch; None without any.

        Whoever gave only one of them would bring in how severe he is.
        """
        both = self._both(example_id, answer, other).values()
        return _statistics([one for one in both if one[0] is not None])

    def _both(self, example_id: str, answer: Prediction, other: Prediction) -> dict[str, Vector]:
        found: dict[str, Vector] = {}
        own, against = digest_of(text(answer)), digest_of(text(other))
        for batch in self._batches:
            items = batch.get(example_id, {})
            if own != against:
                known = [_by_rater(items.get(one, ())) for one in (own, against)]
                shared = [rater for rater in known[0] if rater in known[1]]
                found |= {r: _shared(known[0][r], known[1][r]) for r in shared}
            elif len(same := items.get(own, ())) > 1:
                by_rater = _by_rater(same).items()
                found |= {r: one for r, one in by_rater if all(r in item for item in same)}
        return found

    def _vectors(self, example_id: str, answer: Prediction) -> dict[str, Vector]:
        found: dict[str, Vector] = {}
        for batch in self._batches:
            found |= _by_rater(batch.get(example_id, {}).get(digest_of(text(answer)), ()))
        return found


def _items_of(batch: Batch, folder: Path, rubric: Rubric) -> dict[str, _Items]:
    """Example id -> digest of a text -> its items, each with what raters said of it.

    Items that nobody has rated are there too, without raters: they were to be.
    """
    said, criteria = people_of(batch, folder), counted(rubric)
    found: dict[str, dict[str, list[Mapping[str, Vector]]]] = defaultdict(lambda: defaultdict(list))
    for item in batch.items:
        placing = batch.placings[item.id]
        if placing.repeat_of is None and len(item.answers) == 1:
            vectors = {
                rater: (
                    overall(rubric, values),
                    *(normal(one, values.get(one.id)) for one in criteria),
                )
                for rater, values in said.get(item.id, {}).items()
            }
            found[placing.example_id][digest_of(item.answers[0])].append(vectors)
    return {example: dict(items) for example, items in found.items()}


def _by_rater(items: Sequence[Mapping[str, Vector]]) -> dict[str, Vector]:
    """Rater -> mean over the items that show one text."""
    raters = dict.fromkeys(rater for item in items for rater in item)
    return {rater: _mean([item[rater] for item in items if rater in item]) for rater in raters}


def _shared(own: Vector, other: Vector) -> Vector:
    """What is known on both sides."""
    return tuple(a if b is not None else None for a, b in zip(own, other, strict=True))


def _mean(vectors: Sequence[Vector]) -> Vector:
    columns = [[one for one in column if one is not None] for column in zip(*vectors, strict=True)]
    return tuple(math.fsum(column) / len(column) if column else None for column in columns)


def _statistics(vectors: Sequence[Vector]) -> list[float] | None:
    if not vectors:
        return None
    means = _mean(vectors)
    if means[0] is None:
        return None
    return [*(mean or 0.0 for mean in means), *(float(mean is not None) for mean in means)]


def _latest(batch: Batch, folder: Path) -> str:
    """When the last of its ratings was given."""
    return max((one.at for one in events.ratings(batch, folder)), default="")
