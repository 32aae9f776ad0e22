"""The detector ``rubric``: kinds of errors that raters named in a rubric's choices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

import harness
from harness import ErrorLabel, Example, ScoredExample
from harness_rating.rubric_scores import RatedByRubric

if TYPE_CHECKING:
    from harness import Rubric
    from harness_rating.batches.records import Batch
    from harness_rating.ratings.folder import RatingsFolder

FOUND_BY = "people"

Key = tuple[str, str]
"""Example id, and digest of the answer's text."""


class RubricChoices(RatedByRubric, harness.Detector):
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
        self._categories: Mapping[Key, Mapping[str, str]] | None = None  # with their evidence

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric,)

    def growing(self) -> Sequence[Path]:
        """Batches of the rubric and what raters have said so far, in a fixed order."""
        return self._folder.files(self._rubric, samples=False)

    def prepare(self, train: Sequence[Example]) -> None:
        """Read what raters have said by now."""
        self._categories = None

    def categories(self) -> Mapping[str, str]:
        """The choices, with their anchors."""
        from harness_rating.ratings.resolved import category_criteria

        meanings: dict[str, list[str]] = defaultdict(list)
        for criterion in category_criteria(self._rubric):
            for choice in criterion.scale.choices:
                anchor = criterion.scale.anchors.get(choice, "")
                meanings[choice].append(anchor or f"raters' answer to: {criterion.question}")
        return {choice: " / ".join(dict.fromkeys(texts)) for choice, texts in meanings.items()}

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """A label for each choice that raters picked for this answer."""
        from harness_rating.ratings.by_answer import key_of

        if self._categories is None:
            self._categories = self._read()
        chosen = self._categories.get(key_of(scored.example.id, scored.prediction.text), {})
        return [
            ErrorLabel(scored.example.id, category, evidence, FOUND_BY)
            for category, evidence in chosen.items()
        ]

    def _read(self) -> dict[Key, Mapping[str, str]]:
        answers: dict[Key, _Answer] = defaultdict(_Answer)
        for batch in self._folder.by_rubric(self._rubric, samples=False):
            _add(batch, self._folder, answers)
        return {key: dict(answer.named(self._rubric)) for key, answer in answers.items()}


@dataclass
class _Answer:
    """What raters chose for one answer, in all batches that show it.

    Attributes:
        by_rater: rater -> criterion -> choices.
        settled: criteria that raters differed on, and that were settled.
    """

    by_rater: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    def named(self, rubric: Rubric) -> Iterator[tuple[str, str]]:
        """The choices, in the rubric's order, each with its evidence."""
        from harness_rating.ratings.resolved import category_criteria

        seen: set[str] = set()
        for criterion in category_criteria(rubric):
            for choice in criterion.scale.choices:
                count = sum(
                    choice in choices.get(criterion.id, ()) for choices in self.by_rater.values()
                )
                if count and choice not in seen:
                    seen.add(choice)
                    raters = f"{count} of {len(self.by_rater)} raters"
                    yield choice, "settled" if criterion.id in self.settled else raters


def _add(batch: Batch, folder: RatingsFolder, answers: dict[Key, _Answer]) -> None:
    """Add what a batch's raters chose."""
    from harness_rating.ratings.by_answer import single_answers
    from harness_rating.ratings.resolved import adjudicated, choices_in

    keys, before = single_answers(batch), adjudicated(batch, folder.ratings(batch))
    for item, raters in adjudicated(batch, folder.all_ratings(batch)).items():
        if item not in keys:
            continue
        answer = answers[keys[item]]
        for rater, values in raters.items():
            choices = answer.by_rater.setdefault(rater, defaultdict(set))
            for criterion, value in values.items():
                choices[criterion] |= choices_in(value)
                if value != before[item][rater].get(criterion):
                    answer.settled.add(criterion)
