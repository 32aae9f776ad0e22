"""``rubric``: what raters said of the answers, as a metric like any other."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

import harness
from harness_rating.rubric_scores import Pairs, RubricOptions, RubricScores

if TYPE_CHECKING:
    from harness import Rubric
    from harness_rating.ratings.by_answer import AnswerPairs, RatingIndex
    from harness_rating.ratings.folder import Version


class RubricMetric(RubricScores):
    """Ratings by a rubric: the overall score, and one for each criterion, 0 to 1.

    Ratings belong to an answer's text, so two rounds that answer alike share them. Raters are
    averaged within an answer; an answer that nobody rated is not scored. The run waits until
    enough answers to dev are rated.
    """

    name = "rubric"
    by_people = True

    class Options(RubricOptions):
        enough: Annotated[int, Field(ge=0)] = Field(
            default=50,
            description="rated answers of a round without which the run waits (exit 6); 0: never",
        )

    options: Options
    _others: Mapping[str, harness.Prediction] | None = None
    _pairs: AnswerPairs | None = None
    _read: tuple[Version, RatingIndex] | None = None

    def score_names(self) -> Sequence[str]:
        """The overall score, then the criteria that can be counted."""
        from harness_rating.ratings.by_answer import numeric_criteria

        return (
            "rubric",
            *(f"rubric-{criterion.id}" for criterion in numeric_criteria(self._rubric)),
        )

    def signature(self) -> str:
        """Rubric, version, and a digest of what turns values into scores: weights and the like."""
        from harness_rating.rubric.scoring import scoring_digest

        rubric = self._rubric
        return (
            f"rubric|id:{rubric.id}|version:{rubric.version}|scoring:{scoring_digest(rubric)[:8]}|"
            f"agg:mean|rev:{self.revision}"
        )

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric,)

    def beside(self, own: Pairs, others: Pairs) -> harness.Metric:
        """What those say who have rated both answers in one batch of these two checkpoints."""

        metric = copy.copy(self)
        metric._others = {row.id: answer for answer, row in others}
        metric._read = None
        metric._pairs = {
            row.id: (answer.text, metric._others[row.id].text)
            for answer, row in own
            if row.id in metric._others
        }
        return metric

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """For each score its value and 1, or two zeros where nobody could judge."""
        return self._statistics(self._ratings(), prediction, example)

    def measure_all(self, pairs: Pairs) -> Iterable[Sequence[float] | None]:
        """The same for many."""
        ratings = self._ratings()
        return [self._statistics(ratings, answer, row) for answer, row in pairs]

    def _statistics(
        self, ratings: RatingIndex, answer: harness.Prediction, row: harness.Example
    ) -> Sequence[float] | None:
        if self._others is None:
            return ratings.statistics(row.id, answer)
        other = self._others.get(row.id)
        return None if other is None else ratings.co_rated(row.id, answer, other)

    def ready(self, pairs: Pairs) -> None:
        """Whether enough of these answers to dev are rated, or rated beside the others.

        Raises:
            Waiting: they are not; says what to run.
        """
        from harness_rating.waiting import commands, current_batches, lacking

        ratings = self._ratings()
        dev = [(answer, row) for answer, row in pairs if row.split == "dev"]
        rows = [row for answer, row in dev if self._is_rated(ratings, answer, row)]
        rated, wanted = len(rows), min(self.options.enough, len(dev))
        if rated >= wanted:
            return
        batches = current_batches(self._folder, self._rubric, dev, self._pairs)
        beside = "" if self._others is None else " together with those that they are compared with"
        raise harness.Waiting(
            f"{rated} of {len(dev)} answers are rated{beside} by '{self._rubric.id}', and {wanted} "
            f"are waited for{lacking(rows, [row for _, row in dev])}{batches.words}",
            commands(self.options.rubric, batches, rated, wanted, len(dev)),
        )

    def _is_rated(
        self, ratings: RatingIndex, answer: harness.Prediction, row: harness.Example
    ) -> bool:
        # Also where somebody said that it cannot be judged: nobody is asked for that again.
        if self._others is None:
            return ratings.has(row.id, answer)
        other = self._others.get(row.id)
        return other is not None and ratings.has_co_rated(row.id, answer, other)

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """That there is nothing to see, where nobody has rated any of these; test never is."""
        ratings = self._ratings()
        rows = [row for _, row in pairs if row.split != "test"]
        if not rows or any(ratings.has(row.id, answer) for answer, row in pairs):
            return ()
        return [f"nobody has rated these answers by this rubric in {self.options.folder}"]

    @functools.cached_property
    def _rubric(self) -> Rubric:
        from harness_rating.ratings.by_answer import numeric_criteria

        rubric = super()._rubric
        if not any(criterion.scores for criterion in numeric_criteria(rubric)):
            raise harness.ConfigError(
                f"rubric {rubric.id} gives no score: a metric needs a criterion that is answered "
                "by yes or no, a level or a number",
                where=str(self.options.rubric),
                hint="preferences between two rounds are told by harness rate verdict",
            )
        return rubric

    def _ratings(self) -> RatingIndex:
        """The ratings by now; the index is made again only after a file has changed."""
        from harness_rating.ratings.by_answer import RatingIndex

        version = self._folder.version(self._rubric)
        if self._read is None or self._read[0] != version:
            index = RatingIndex.read(self._folder, self._rubric, self._pairs)
            self._read = version, index
        return self._read[1]
