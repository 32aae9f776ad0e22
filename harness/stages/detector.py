"""The stage that names the kinds of errors of an answer: detector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.boundary.results import refused, returned, short
from harness.records import (
    ErrorLabel,
    Example,
    ScoredExample,
)
from harness.stages.base import Plugin

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


MOST_LABELS = 100
"""Labels of one answer."""


class Detector(Plugin):
    """Names the kinds of errors that one answer shows."""

    stage = "detector"

    def prepare(self, train: Sequence[Example]) -> None:
        """Called before a round's answers are looked at: the rows that its model has learned.

        Empty for the base model. What was kept of an earlier call must be forgotten.
        """

    def categories(self) -> Mapping[str, str]:
        """Category -> one-line definition."""
        raise NotImplementedError

    def malformed(self) -> Collection[str]:
        """The categories that mean that an answer has not the form that was asked for.

        Where answers that show one of them no more carry most of a gain, the verdict says so.
        """
        return ()

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """Labels of one answer; several may hold."""
        raise NotImplementedError


def detected(
    detector: Detector, scored: Sequence[ScoredExample], train: Sequence[Example]
) -> list[ErrorLabel]:
    """The labels of all answers of a model that has learned these rows."""
    categories_of(detector)
    detector.prepare(train)
    labels: list[ErrorLabel] = []
    for row in scored:
        name = row.example.id
        for label in returned(Detector.detect, detector.detect(row), of=name, most=MOST_LABELS):
            what = f"detect() of '{name}'"
            if label.example_id != name:
                raise refused(f"{what} gives a label of '{short(label.example_id)}'")
            if not label.category.strip():
                raise refused(f"{what} gives a label without a category")
            labels.append(label)
    return labels


def categories_of(detector: Detector) -> Mapping[str, str]:
    """Category -> definition."""
    return dict(returned(Detector.categories, detector.categories()))
