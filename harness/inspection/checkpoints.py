"""Two checkpoints to compare: two rounds of one run, or the kept rounds of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import scoring
from harness.engine.history import History
from harness.errors import UsageError
from harness.inspection.index import Index
from harness.inspection.stored import opened, walked
from harness.records import BASE_ARM, Example, Measurement, Prediction, Score, Verdict
from harness.scoring import MetricEntry
from harness.stored import StoredSteps


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One round of one run, with all that it said of dev.

    Attributes:
        rows: dev.
        measurements: metric entry -> its measurements.
        right: example id -> whether its answer counts as right.
        right_at: value of the primary score from which it does; None where none is set.
        train: the rows that it learned from; none in round 0.
        verdict: the run's own.
        config: the run's whole configuration.
        seed: of the run's comparisons.
    """

    run: str
    round: int
    kept: bool
    primary: str
    rows: Sequence[Example]
    predictions: Sequence[Prediction]
    measurements: Mapping[str, Sequence[Measurement]]
    entries: Sequence[MetricEntry]
    scores: Mapping[str, Score]
    right: Mapping[str, bool | None]
    right_at: float | None
    train: Sequence[Example]
    verdict: Verdict
    config: Mapping[str, Any]
    seed: int


def pair(
    first: str, second: str, run: str | None, folder_of: Callable[[str | None], Path]
) -> tuple[Checkpoint, Checkpoint]:
    """The two that a command line names, as rounds of a run or as runs.

    Args:
        folder_of: the reports of a run by its name, or of the latest.

    Raises:
        UsageError: a round or a run that there is not, or one of each.
        DataError: what is needed is not stored any more.
    """
    rounds = [text for text in (first, second) if text.isascii() and text.isdigit()]
    if len(rounds) == 1:
        raise UsageError(
            f"'{rounds[0]}' is a round, and the other is not",
            hint="harness compare 1 2 [--run RUN], or harness compare RUN OTHER",
        )
    if rounds:
        return _of_one_run(folder_of(run), int(first), int(second))
    if run is not None:
        raise UsageError("--run says whose rounds are meant; here are two runs")
    if first == second:
        raise UsageError(f"'{first}' twice: there is nothing to compare")
    folders = folder_of(first), folder_of(second)
    return _kept_of(folders[0]), _kept_of(folders[1])


def _of_one_run(folder: Path, first: int, second: int) -> tuple[Checkpoint, Checkpoint]:
    with Index.opened(folder) as index:
        for number in (first, second):
            index.round(number, "round")
    if first == second:
        raise UsageError(f"round {first} twice: there is nothing to compare")
    steps, history = walked(opened(folder.name), max(first, second))
    return _checkpoint(steps, history, first, index), _checkpoint(steps, history, second, index)


def _kept_of(folder: Path) -> Checkpoint:
    with Index.opened(folder) as index:
        steps, history = walked(opened(folder.name), index.kept)
    return _checkpoint(steps, history, index.kept, index)


def _checkpoint(steps: StoredSteps, history: History, number: int, index: Index) -> Checkpoint:
    found = history.evaluations[BASE_ARM, number]
    return Checkpoint(
        run=index.run,
        round=number,
        kept=number == index.kept,
        primary=index.primary,
        rows=history.data.split("dev"),
        predictions=found.predictions,
        measurements=found.measurements,
        entries=steps.metric_entries(),
        scores=found.scores,
        right=steps.right(found.scored),
        right_at=scoring.right_at(steps.primary_entry().metric),
        train=history.arms[BASE_ARM].train[number] if number else (),
        verdict=history.results[BASE_ARM, number].verdict,
        config=steps.config.shown(),
        seed=steps.seed("verdict", 0),
    )
