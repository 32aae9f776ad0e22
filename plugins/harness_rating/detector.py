"""The detector ``rubric``: kinds of errors that people named in a rubric's choices."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

import harness
from harness import ErrorLabel, Example, ScoredExample

if TYPE_CHECKING:
    from harness import Criterion, Rubric
    from harness_rating.batches.records import Batch

FOUND_BY = "people"

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


class RubricChoices(harness.Detector):
    """Names what raters chose in a rubric's criteria with ``use_as: error_category``.

    One rater is enough; the evidence says how many of those who rated the answer chose it, and
    whether it was settled afterwards. Choices belong to an answer's text, as ratings do, and
    batches of every strategy count: those that give no verdict are made to find errors.
    """

    name = "rubric"

    class Options(harness.Options):
        rubric: Path = Field(description="the rubric file")
        folder: str = Field(
            default=".harness/ratings", description="where batches of ratings are kept"
        )

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        super().__init__(options)
        self._found: Mapping[Key, Mapping[str, str]] | None = None

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric,)

    def growing(self) -> Sequence[Path]:
        """Batches of the rubric and what raters have said so far, in a fixed order."""
        from harness_rating.ratings.by_answer import files

        return files(Path(self.options.folder), self._rubric, samples=False)

    def prepare(self, train: Sequence[Example]) -> None:
        """Read what people have said by now."""
        self._found = None

    def categories(self) -> Mapping[str, str]:
        """The choices, with their anchors."""
        told: dict[str, list[str]] = defaultdict(list)
        for criterion in _naming(self._rubric):
            for choice in criterion.scale.choices:
                anchor = criterion.scale.anchors.get(choice, "")
                told[choice].append(anchor or f"people's answer to: {criterion.question}")
        return {choice: " / ".join(dict.fromkeys(texts)) for choice, texts in told.items()}

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """A label for each choice that people picked for this answer."""
        from harness_rating.batches.candidates import text
        from harness_rating.ratings.by_answer import key_of

        if self._found is None:
            self._found = dict(self._read())
        chosen = self._found.get(key_of(scored.example.id, text(scored.prediction)), {})
        return [
            ErrorLabel(scored.example.id, category, evidence, FOUND_BY)
            for category, evidence in chosen.items()
        ]

    @functools.cached_property
    def _rubric(self) -> Rubric:
        from harness_rating.rubric.scoring import load

        return load(self.options.rubric)

    def _read(self) -> Iterator[tuple[Key, Mapping[str, str]]]:
        from harness_rating.ratings.by_answer import batches_by

        folder = Path(self.options.folder)
        answers: dict[Key, _Answer] = defaultdict(_Answer.new)
        for batch in batches_by(folder, self._rubric, samples=False):
            _hear(batch, folder, answers)
        for key, answer in answers.items():
            yield key, dict(answer.named(self._rubric))


def _naming(rubric: Rubric) -> tuple[Criterion, ...]:
    return tuple(one for one in rubric.criteria if one.use_as == "error_category")


@dataclass
class _Answer:
    """What was said of one answer, in all batches that it stands in.

    Attributes:
        by_rater: rater -> criterion -> choices.
        settled: criteria that raters differed on, and that were settled.
    """

    by_rater: dict[str, dict[str, set[str]]]
    settled: set[str]

    @classmethod
    def new(cls) -> _Answer:
        return cls(defaultdict(lambda: defaultdict(set)), set())

    def named(self, rubric: Rubric) -> Iterator[tuple[str, str]]:
        """The choices, in the rubric's order, each with its evidence."""
        seen: set[str] = set()
        for criterion in _naming(rubric):
            for choice in criterion.scale.choices:
                count = sum(choice in said[criterion.id] for said in self.by_rater.values())
                if count and choice not in seen:
                    seen.add(choice)
                    told = f"{count} of {len(self.by_rater)} raters"
                    yield choice, "settled" if criterion.id in self.settled else told


def _hear(batch: Batch, folder: Path, answers: dict[Key, _Answer]) -> None:
    """Add what a batch's raters said."""
    from harness_rating.ratings import events
    from harness_rating.ratings.resolved import said

    keys, given = _keys(batch), events.ratings(batch, folder)
    before, after = said(batch, given), said(batch, [*given, *events.settled(batch, folder)])
    for item, raters in after.items():
        if item not in keys:
            continue
        answer = answers[keys[item]]
        for rater, values in raters.items():
            for criterion, value in values.items():
                answer.by_rater[rater][criterion] |= _picked(value)
                if value != before[item][rater].get(criterion):
                    answer.settled.add(criterion)


def _keys(batch: Batch) -> dict[str, Key]:
    """Item -> the answer that it shows. Hidden repeats and pairs are left out."""
    from harness_rating.ratings.by_answer import key_of

    return {
        item.id: key_of(batch.placings[item.id].example_id, item.answers[0])
        for item in batch.items
        if len(item.answers) == 1 and batch.placings[item.id].repeat_of is None
    }


def _picked(value: Any) -> set[str]:
    """The choices in a value of kind ``choice`` or ``choices``."""
    if isinstance(value, str):
        return {value}
    return set(value) if isinstance(value, (list, tuple)) else set()
