"""``rubric``: what people said of the answers, as a metric like any other."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

import harness

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.rating.rubric import Rubric
    from harness_rubric.scores import Rated

    Floats = npt.NDArray[np.float64]

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class RubricMetric(harness.Metric):
    """People's ratings by a rubric: the overall score, and one for each criterion, 0 to 1.

    Ratings belong to an answer's text, so two rounds that answer alike share them. Raters are
    averaged within an answer; an answer that nobody rated is not scored. The run waits until
    enough answers to dev are rated.
    """

    name = "rubric"

    class Options(harness.Options):
        rubric: Path = Field(description="the rubric file")
        enough: Annotated[int, Field(ge=0)] = Field(
            default=50, description="rated answers of a round without which the run waits; 0: never"
        )
        folder: str = Field(
            default=".harness/ratings", description="where batches of ratings are kept"
        )
        right_at: Annotated[float, Field(ge=0, le=1)] = 0.75

    options: Options

    def score_names(self) -> Sequence[str]:
        """The overall score, then the criteria that can be counted."""
        from harness_rubric.scores import counted

        return ("rubric", *(f"rubric-{one.id}" for one in counted(self._rubric)))

    def signature(self) -> str:
        rubric = self._rubric
        return f"rubric|id:{rubric.id}|version:{rubric.version}|agg:mean|rev:{self.revision}"

    def inputs(self) -> Sequence[Path]:
        return (self.options.rubric,)

    def growing(self) -> Sequence[Path]:
        """Batches and what raters have said so far."""
        from harness_rubric.scores import files

        return files(Path(self.options.folder), self._rubric)

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """For each score its value and 1, or two zeros where nobody could judge."""
        return self._ratings().statistics(example.id, prediction.text)

    def measure_all(self, pairs: Pairs) -> Iterable[Sequence[float] | None]:
        """The same for many."""
        ratings = self._ratings()
        return [ratings.statistics(row.id, answer.text) for answer, row in pairs]

    def ready(self, pairs: Pairs) -> None:
        """Whether enough of these answers are rated.

        Raises:
            Waiting: too few answers to dev are rated; says what to run.
        """
        ratings = self._ratings()
        dev = [(answer, row) for answer, row in pairs if row.split == "dev"]
        rated = sum(ratings.statistics(row.id, answer.text) is not None for answer, row in dev)
        wanted = min(self.options.enough, len(dev))
        if rated < wanted:
            path = shlex.quote(str(self.options.rubric))
            raise harness.Waiting(
                f"{rated} of {len(dev)} answers are rated by '{self._rubric.id}', and {wanted} "
                "are waited for",
                [
                    f"harness rate create --rubric {path} --run RUN --round ROUND -n {wanted} "
                    "--raters NAME",
                    "harness rate serve",
                ],
            )

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 2m)`` to ``(..., m)``: mean over the answers for which there is a value."""
        count = sums.shape[-1] // 2
        return sums[..., :count] / sums[..., count:]

    @functools.cached_property
    def _rubric(self) -> Rubric:
        from harness.rating.rubric import load

        return load(self.options.rubric)

    def _ratings(self) -> Rated:
        from harness_rubric.scores import Rated

        return Rated.read(Path(self.options.folder), self._rubric)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [RubricMetric]
