"""A trial of a search of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TrialState = Literal["open", "done", "pruned", "failed"]
"""``open``: begun, and not ended yet."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that were tried.

    Attributes:
        number: from 0, which is that of the run's own settings.
        values: dotted key of the config -> value.
        folds: what each part of the rows gave, held out of training in turn; one where valid is
            large enough. A trial that was pruned has fewer.
        course: validation losses at :attr:`harness.Searcher.shares` of its training, where trials
            are compared on valid by loss and the trainer measures them. A trial that was pruned
            has fewer.
        seconds: of its trainings and answers.
        failed: why it has no value; empty where nothing went wrong.
    """

    number: int
    values: Mapping[str, Any]
    folds: tuple[float, ...] = ()
    state: TrialState = "open"
    seconds: float = 0.0
    failed: str = ""
    course: tuple[float, ...] = ()

    @property
    def mean(self) -> float | None:
        """Over the folds that were measured."""
        return sum(self.folds) / len(self.folds) if self.folds else None

    @property
    def value(self) -> float | None:
        """What trials are compared by; None for one that did not come to its end."""
        return self.mean if self.state == "done" else None
