"""What people said of answers, by the answers' texts, whatever batch they said it in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.rating import batches, events
from harness.rating.records import Batch
from harness.rating.rubric import Criterion, Rubric, normal, overall

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


def counted(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria whose values are numbers from 0 to 1: no texts, no names of errors, no pairs."""
    kinds = ("binary", "ordinal", "number")
    return tuple(c for c in rubric.criteria if c.scale.kind in kinds and c.use_as is None)


def key_of(example_id: str, text: str) -> Key:
    """Under which an answer's ratings are kept."""
    return example_id, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def files(folder: Path, rubric: Rubric) -> list[Path]:
    """Everything that the ratings by this rubric are read from, in a fixed order."""
    found: list[Path] = []
    for batch in batches_by(folder, rubric):
        place = folder / batch.name
        found += [place / "batch.json", *sorted((place / "events").glob("*.jsonl"))]
    return found


def batches_by(folder: Path, rubric: Rubric) -> list[Batch]:
    """Batches of this rubric and version that stand for the whole set, one answer an item."""
    found = [batches.load(folder, name) for name in sorted(batches.names(folder))]
    return [
        batch
        for batch in found
        if (batch.rubric.id, batch.rubric.version) == (rubric.id, rubric.version) and batch.verdicts
    ]


def people_of(batch: Batch, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Item -> what each of its raters said, as criterion -> value; hidden repeats are left out.

    What was settled after raters had disagreed stands for each of them.
    """
    final = {(one.item, one.criterion): one.value for one in events.settled(batch, folder)}
    of_rater: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for one in events.ratings(batch, folder):
        if not one.criterion.startswith("@"):
            value = final.get((one.item, one.criterion), one.value)
            of_rater[one.rater, one.item][one.criterion] = value
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (_, item), said in of_rater.items():
        if batch.placings[item].repeat_of is None:
            found[item].append(said)
    return dict(found)


class Rated:
    """What raters have said of answers, by the answers' texts.

    Attributes:
        examples: ids of those with a rated answer, of whatever round.
    """

    def __init__(self, rubric: Rubric, values: Mapping[Key, Sequence[Mapping[str, Any]]]) -> None:
        self._rubric = rubric
        self._values = values
        self._criteria = counted(rubric)
        self.examples = frozenset(example for example, _ in values)

    @classmethod
    def read(cls, folder: Path, rubric: Rubric) -> Self:
        """All ratings in the folder; hidden repeats are left out.

        What was settled after raters had disagreed stands for each of them.
        """
        values: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
        for batch in batches_by(folder, rubric):
            items = {item.id: item for item in batch.items}
            for item, raters in people_of(batch, folder).items():
                answers = items[item].answers
                if len(answers) == 1:
                    values[key_of(batch.placings[item].example_id, answers[0])] += raters
        return cls(rubric, values)

    def has(self, example_id: str, text: str) -> bool:
        """Whether somebody has said anything of the answer, were it that it cannot be judged."""
        return key_of(example_id, text) in self._values

    def statistics(self, example_id: str, text: str) -> list[float] | None:
        """The overall value and each criterion's, then 1 for each that is known; None unrated.

        Raters are averaged within the answer.
        """
        said = self._values.get(key_of(example_id, text))
        if not said:
            return None
        columns = [[overall(self._rubric, values) for values in said]]
        for criterion in self._criteria:
            known = [values[criterion.id] for values in said if criterion.id in values]
            columns.append([normal(criterion, value) for value in known])
        means = [_mean([value for value in column if value is not None]) for column in columns]
        if means[0] is None:
            return None
        return [*(mean or 0.0 for mean in means), *(float(mean is not None) for mean in means)]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
