"""What a model says of items, kept apart from what raters say.

A judge's lines of a batch are in ``judges/<name>.jsonl`` in the batch's folder, one for each
criterion of each item. They are never among the events of raters, and no rater sees them.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import Criterion, Item, Judgement, Rubric, UsageError
from harness.kit.log import Log
from harness_rating.ratings.events import RATER, RATER_RULE
from harness_rating.rubric import conditions, scoring

FOLDER = "judges"
SCHEMA = 1

Judged = Mapping[tuple[str, str], Judgement]
"""(item, criterion) -> judgement."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A rubric's ``judge``, with every default."""

    bar: float
    items: int
    samples: int
    instructions: str


def settings(rubric: Rubric) -> Settings:
    """What the rubric says of its judge."""
    from harness_rating.rubric.schema import JudgeFile

    values = {**JudgeFile().model_dump(), **(rubric.judge or {})}
    return Settings(values["bar"], values["items"], values["samples"], values["instructions"])


# -- from samples to a value, and to scores -----------------------------------------------------


def settle(criterion: Criterion, samples: Sequence[Any]) -> Any:
    """The one value that samples come to, in its stored form.

    "Cannot judge" if most samples say so; the level nearest to the median, the lower one (for
    pairs a tie) where it lies between two; the most frequent choice; the choices that most made.
    """
    judged = [value for value in samples if value is not None]
    if 2 * len(judged) < len(samples) or not judged:
        return None
    scale = criterion.scale
    if scale.kind == "pairwise":
        middle = statistics.median({"A": 1.0, "tie": 0.5, "B": 0.0}[value] for value in judged)
        if 0.25 <= middle <= 0.75:
            return "tie"
        return "A" if middle > 0.5 else "B"
    if scale.kind == "binary":
        return 2 * sum(judged) > len(judged)
    if scale.kind == "ordinal":
        return int(statistics.median_low(judged))
    if scale.kind == "number":
        middle = float(statistics.median(judged))
        return int(middle) if middle == int(middle) else middle
    if scale.kind == "choices":
        most = len(judged) / 2
        return [
            choice for choice in scale.choices if sum(choice in value for value in judged) > most
        ]
    counts = Counter(judged)
    return max(judged, key=lambda value: counts[value])


def score(criterion: Criterion, judgement: Judgement) -> float | None:
    """The mean of the samples' values, each brought to 0..1; None without a value."""
    if judgement.error or judgement.value is None:
        return None
    values = [scoring.normal(criterion, value) for value in judgement.each]
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def overall(rubric: Rubric, judgements: Mapping[str, Judgement]) -> float | None:
    """The mean of the samples' overall scores (:func:`harness_rating.rubric.scoring.overall`).

    None where a criterion that it rests on has an error, or lacks a judgement though it is asked.
    """
    deciding = [
        criterion.id
        for criterion in rubric.criteria
        if criterion.scores or criterion.fail_below is not None
    ]
    rests_on = with_conditions(rubric, deciding)
    if any(judgement.error for name, judgement in judgements.items() if name in rests_on):
        return None
    values = {name: judgement.value for name, judgement in judgements.items()}
    asked = scoring.asked_criteria(rubric, values)
    if any(criterion.scores and criterion.id not in values for criterion in asked):
        return None
    scores = []
    count = max((len(judgement.each) for judgement in judgements.values()), default=0)
    for place in range(count):
        # A criterion with fewer samples than others gives its own in turn.
        sample = {
            name: None if judgement.value is None else judgement.each[place % len(judgement.each)]
            for name, judgement in judgements.items()
        }
        scores.append(scoring.overall(rubric, sample))
    numbers = [score for score in scores if score is not None]
    return sum(numbers) / len(numbers) if numbers else None


def with_conditions(rubric: Rubric, wanted: Iterable[str]) -> frozenset[str]:
    """The criteria, and those that decide whether these are asked."""
    names = frozenset(wanted)
    while True:
        asking = [criterion for criterion in rubric.criteria if criterion.id in names]
        more = names.union(*(conditions.names_in(criterion.ask_if) for criterion in asking))
        if more == names:
            return names
        names = more


# -- kept with the batch ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a judge's file.

    Attributes:
        by: the judge's signature.
    """

    by: str
    judgement: Judgement


class Judgements:
    """What one judge has said of one batch. One process writes at a time.

    Args:
        folder: the batch's folder.
        by: the judge's signature; lines of another one are kept, and not looked at.

    Raises:
        UsageError: the name cannot be a file's.
        DataError: the file is damaged.
    """

    def __init__(self, folder: Path, name: str, by: str) -> None:
        if not RATER.fullmatch(name):
            raise UsageError(f"'{name}' cannot be a judge's name", hint=f"use {RATER_RULE}")
        self.path, self.by = folder / FOLDER / f"{name}.jsonl", by
        self._standing: dict[tuple[str, str], Judgement] = {}
        self._log = Log(
            self.path, Line, schema=SCHEMA, cost="what it said of an item cannot be known",
            hint="remove the line: what it said is asked again",
        )  # fmt: skip
        self._log.read(self._take)

    @property
    def standing(self) -> dict[tuple[str, str], Judgement]:
        """(item, criterion) -> what was said last."""
        return dict(self._standing)

    def append(self, judgement: Judgement) -> None:
        """Keep it; it is on the disk when this returns. What stands already does nothing.

        Raises:
            EnvironmentFailure: the disk is full or not writable.
        """
        if self._standing.get((judgement.item, judgement.criterion)) != judgement:
            line = Line(self.by, judgement)
            self._log.append(line)
            self._take(line)

    def _take(self, line: Line) -> None:
        if line.by == self.by:
            self._standing[line.judgement.item, line.judgement.criterion] = line.judgement


def judges(folder: Path) -> list[str]:
    """Names of the judges that have said something of the batch in this folder."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.jsonl"))


def of_item(judged: Judged, item: str, rubric: Rubric) -> dict[str, Judgement]:
    """Criterion -> judgement of one item."""
    return {
        criterion.id: judged[item, criterion.id]
        for criterion in rubric.criteria
        if (item, criterion.id) in judged
    }


def unjudged(rubric: Rubric, items: Sequence[Item], judged: Judged) -> list[Item]:
    """The items of which something is still to be said."""
    return [item for item in items if _is_open(rubric, of_item(judged, item.id, rubric))]


def _is_open(rubric: Rubric, judgements: Mapping[str, Judgement]) -> bool:
    if any(judgement.error for judgement in judgements.values()):
        return True
    values = {name: judgement.value for name, judgement in judgements.items()}
    return any(
        criterion.scale.kind != "text" and criterion.id not in judgements
        for criterion in scoring.asked_criteria(rubric, values)
    )
