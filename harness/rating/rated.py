"""What people said of answers, by the answers' texts, whatever batch they said it in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.errors import ConfigError
from harness.rating import batches, events
from harness.rating.answers import text
from harness.rating.records import Batch
from harness.rating.rubric import Criterion, Rubric, normal, overall, version_problem
from harness.rating.standing import Said, complete
from harness.records import Prediction

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


def counted(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria whose values are numbers from 0 to 1: no texts, no names of errors, no pairs."""
    kinds = ("binary", "ordinal", "number")
    return tuple(c for c in rubric.criteria if c.scale.kind in kinds and c.use_as is None)


def key_of(example_id: str, text: str) -> Key:
    """Under which an answer's ratings are kept."""
    return example_id, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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
        if batches.rubric_of(folder, name) != (rubric.id, rubric.version):
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

    See :mod:`harness.rating.standing`.
    """
    return complete(batch, [*events.ratings(batch, folder), *events.settled(batch, folder)])


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
        """All ratings in the folder.

        Who has rated an answer in several batches counts once, by the latest of them.
        """
        values: dict[Key, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        for batch in sorted(batches_by(folder, rubric), key=lambda one: _latest(one, folder)):
            items = {item.id: item for item in batch.items}
            for item, raters in people_of(batch, folder).items():
                answers = items[item].answers
                if len(answers) == 1:
                    values[key_of(batch.placings[item].example_id, answers[0])].update(raters)
        return cls(rubric, {key: list(raters.values()) for key, raters in values.items()})

    def has(self, example_id: str, answer: Prediction) -> bool:
        """Whether somebody has rated the answer, were it that it cannot be judged."""
        return key_of(example_id, text(answer)) in self._values

    def statistics(self, example_id: str, answer: Prediction) -> list[float] | None:
        """The overall value and each criterion's, then 1 for each that is known; None unrated.

        Raters are averaged within the answer.
        """
        said = self._values.get(key_of(example_id, text(answer)))
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


def _latest(batch: Batch, folder: Path) -> str:
    """When the last of its ratings was given."""
    return max((one.at for one in events.ratings(batch, folder)), default="")


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
