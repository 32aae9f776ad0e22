"""Closed rounds of a run, read back without anything being made, counted or decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import scoring
from harness.loop import rounds
from harness.opened.replay import NotStored, StoredSteps, opened
from harness.records import BASE_ARM, Example, RoundResult, Score
from harness.records.context import Quiet
from harness.run.ledger import Ledger
from harness.scoring import MetricEntry, Scorecard
from harness.steps.detect import right
from harness.steps.history import History


@dataclass(frozen=True, slots=True)
class StoredRound:
    """One closed round of the main arm: what it learned from, and what it answered to dev.

    Attributes:
        run: its name.
        result: the round as it was closed, with its verdict.
        card: the answers to dev with their measurements.
        scores: of all of dev, as the run reports them.
        primary: the score that decides, and the metric that gives it.
        right: example id -> whether its answer counts as right; None where that is unknown.
        train: the rows that it learned from; none in round 0.
        config: the run's whole configuration, every default filled in.
        seed: of the run's comparisons.
    """

    run: str
    result: RoundResult
    card: Scorecard
    scores: Mapping[str, Score]
    primary: str
    right: Mapping[str, bool | None]
    train: Sequence[Example]
    config: Mapping[str, Any]
    seed: int

    @property
    def primary_metric(self) -> MetricEntry:
        """The entry that gives the primary score."""
        return next(entry for entry in self.card.metrics if self.primary in entry.score_names)

    @property
    def right_at(self) -> float | None:
        """Value of the primary score from which an answer counts as right; None for no value."""
        return scoring.right_at(self.primary_metric.metric)

    def is_right(self, value: float | None) -> bool | None:
        """Whether an answer of that primary score counts as right; None where that is unknown."""
        return scoring.right(self.primary_metric.metric, value)


class RoundReader:
    """The closed rounds of one run.

    The run may be in progress in another process: nothing of it is made here.
    """

    def __init__(self, name: str) -> None:
        self._run = opened(name, Quiet())
        self._run.may_make = ()
        self._steps, self._history = StoredSteps(self._run), History()
        self._walk = rounds(self._steps, self._history)

    def round(self, number: int) -> StoredRound:
        """A closed round.

        Raises:
            DataError: it is not closed, or something of it is not stored any more.
        """
        place = BASE_ARM, number
        while place not in self._history.results:
            if next(self._walk, None) is None:
                raise NotStored(
                    f"round {number} is not closed", where=self._run.name, hint="harness iterate"
                )
        steps, evaluation = self._steps, self._history.evaluations[place]
        return StoredRound(
            run=self._run.name,
            result=self._history.results[place],
            card=Scorecard(
                self._history.data.split("dev"), evaluation.predictions, steps.metric_entries(),
                evaluation.measurements, steps.seed("scores", 0),
            ),
            scores=evaluation.scores,
            primary=steps.config.settings.primary,
            right=right(steps, evaluation.scored),
            train=self._history.arms[BASE_ARM].train[number] if number else (),
            config=steps.config.shown(),
            seed=steps.seed("verdict", 0),
        )  # fmt: skip

    def in_test(self, name: str) -> bool:
        """Whether an id is of the sealed test set."""
        return any(row.id == name for row in self._test_rows())

    def count_look(self, purpose: str) -> None:
        """Count a look at the test set in the folder's ledger, before it happens."""
        ledger = Ledger(self._run.ledger.path)
        ledger.open(self._test_rows(), f"{self._run.name} {purpose}")

    def _test_rows(self) -> Sequence[Example]:
        return StoredSteps(self._run).data().split("test")
