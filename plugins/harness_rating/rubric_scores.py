"""What the metrics by a rubric share: its options, the folder of ratings, the mean of scores."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

import harness

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import Rubric
    from harness_rating.ratings.folder import RatingsFolder

    Floats = npt.NDArray[np.float64]

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class RubricOptions(harness.Options):
    """The rubric, and where its ratings lie."""

    rubric: Path = Field(description="the rubric file")
    folder: str = Field(default=".harness/ratings", description="where batches of ratings are kept")
    right_at: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="overall score from which an answer passes; default: the rubric's",
    )


class RatedByRubric:
    """A plugin whose options name a rubric and a folder of ratings, each opened once."""

    options: Any

    @functools.cached_property
    def _rubric(self) -> Rubric:
        from harness_rating.rubric.file import load

        return load(self.options.rubric)

    @functools.cached_property
    def _folder(self) -> RatingsFolder:
        from harness_rating.ratings.folder import RatingsFolder

        return RatingsFolder(Path(self.options.folder))


class RubricScores(RatedByRubric, harness.Metric):
    """The overall score, and one for each criterion that gives numbers, 0 to 1."""

    options: Any

    @property
    def right_at(self) -> float:  # type: ignore[override]
        """As the rubric says."""
        return self._rubric.overall.right_at

    def growing(self) -> Sequence[Path]:
        """Batches and their ratings so far."""
        return self._folder.files(self._rubric)

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 2m)`` to ``(..., m)``: mean over the answers for which there is a value."""
        count = sums.shape[-1] // 2
        return sums[..., :count] / sums[..., count:]
