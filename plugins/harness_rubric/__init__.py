"""``rubric``: what people said of the answers, as a metric like any other."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

import harness
from harness_rubric.better_answers import BetterAnswers
from harness_rubric.choices import RubricChoices

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.rating.rated import Rated
    from harness.rating.rubric import Rubric

    Floats = npt.NDArray[np.float64]

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class RubricMetric(harness.Metric):
    """People's ratings by a rubric: the overall score, and one for each criterion, 0 to 1.

    Ratings belong to an answer's text, so two rounds that answer alike share them. Raters are
    averaged within an answer; an answer that nobody rated is not scored. The run waits until
    enough answers to dev are rated.
    """

    name = "rubric"
    by_people = True

    class Options(harness.Options):
        rubric: Path = Field(description="the rubric file")
        enough: Annotated[int, Field(ge=0)] = Field(
            default=50, description="rated answers of a round without which the run waits; 0: never"
        )
        folder: str = Field(
            default=".harness/ratings", description="where batches of ratings are kept"
        )
        right_at: Annotated[float, Field(ge=0, le=1)] | None = Field(
            default=None,
            description="overall score from which an answer is right; default: the rubric's",
        )

    options: Options

    @property
    def right_at(self) -> float:
        """As the rubric says."""
        return self._rubric.overall.right_at

    def score_names(self) -> Sequence[str]:
        """The overall score, then the criteria that can be counted."""
        from harness.rating.rated import counted

        return ("rubric", *(f"rubric-{one.id}" for one in counted(self._rubric)))

    def signature(self) -> str:
        rubric = self._rubric
        return f"rubric|id:{rubric.id}|version:{rubric.version}|agg:mean|rev:{self.revision}"

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric,)

    def growing(self) -> Sequence[Path]:
        """Batches and what raters have said so far."""
        from harness.rating.rated import files

        return files(Path(self.options.folder), self._rubric)

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """For each score its value and 1, or two zeros where nobody could judge."""
        return self._ratings().statistics(example.id, prediction)

    def measure_all(self, pairs: Pairs) -> Iterable[Sequence[float] | None]:
        """The same for many."""
        ratings = self._ratings()
        return [ratings.statistics(row.id, answer) for answer, row in pairs]

    def ready(self, pairs: Pairs) -> None:
        """Whether enough of these answers are rated, and all to examples that were rated before.

        An answer that did not change brings its ratings along, so the ones that lack them are
        just those that changed.

        Raises:
            Waiting: too few answers to dev are rated; says what to run.
        """
        ratings = self._ratings()
        dev = [(answer, row) for answer, row in pairs if row.split == "dev"]
        unrated = [row for answer, row in dev if not ratings.has(row.id, answer)]
        rated = len(dev) - len(unrated)
        again = sum(row.id in ratings.examples for row in unrated)
        wanted = min(max(self.options.enough, rated + again), len(dev))
        if self.options.enough and rated < wanted:
            path = shlex.quote(str(self.options.rubric))
            raise harness.Waiting(
                f"{rated} of {len(dev)} answers are rated by '{self._rubric.id}', and {wanted} "
                "are waited for",
                [
                    f"harness rate create --rubric {path} --run RUN --round ROUND [--vs KEPT] "
                    f"-n {wanted} --raters NAME",
                    "harness rate serve",
                ],
            )

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 2m)`` to ``(..., m)``: mean over the answers for which there is a value."""
        count = sums.shape[-1] // 2
        return sums[..., :count] / sums[..., count:]

    @functools.cached_property
    def _rubric(self) -> Rubric:
        from harness.rating.rated import counted
        from harness.rating.rubric import load

        rubric = load(self.options.rubric)
        if not any(criterion.scores for criterion in counted(rubric)):
            raise harness.ConfigError(
                f"rubric {rubric.id} gives no score: a metric needs a criterion that is answered "
                "by yes or no, a level or a number",
                where=str(self.options.rubric),
                hint="preferences between two rounds are told by harness rate verdict",
            )
        return rubric

    def _ratings(self) -> Rated:
        from harness.rating.rated import Rated

        return Rated.read(Path(self.options.folder), self._rubric)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [RubricMetric]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [RubricChoices]


@harness.hookimpl
def register_augmenters() -> list[type[harness.Augmenter]]:
    return [BetterAnswers]
