"""Which two rounds a command line names: two of one run, or the best rounds of two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import harness
from harness_inspection.database import RunDatabase


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    Attributes:
        kept: whether it is the round that its run has kept.
    """

    round: harness.StoredRound
    kept: bool


def pair(first: str, second: str, run: str | None) -> tuple[Side, Side]:
    """The two, given as rounds of a run or as runs.

    Raises:
        UsageError: a round or a run that there is not, or one of each.
        DataError: what is needed is not stored any more.
    """
    rounds = [text for text in (first, second) if text.isascii() and text.isdigit()]
    if len(rounds) == 1:
        raise harness.UsageError(
            f"'{rounds[0]}' is a round, and the other is not",
            hint="harness compare 1 2 [--run RUN], or harness compare RUN OTHER",
        )
    if rounds:
        return _of_one_run(harness.current_reports(run), int(first), int(second))
    if run is not None:
        raise harness.UsageError("--run says whose rounds are meant; here are two runs")
    if first == second:
        raise harness.UsageError(f"'{first}' twice: there is nothing to compare")
    folders = harness.current_reports(first), harness.current_reports(second)
    return _kept_of(folders[0]), _kept_of(folders[1])


def _of_one_run(folder: Path, first: int, second: int) -> tuple[Side, Side]:
    with RunDatabase.opened(folder) as database:
        for number in (first, second):
            database.round(number, "round")
        best = database.kept
    if first == second:
        raise harness.UsageError(f"round {first} twice: there is nothing to compare")
    run = harness.open_run(folder.name)
    a, b = (Side(run.round(number), number == best) for number in (first, second))
    return a, b


def _kept_of(folder: Path) -> Side:
    with RunDatabase.opened(folder) as database:
        best = database.kept
    return Side(harness.open_run(folder.name).round(best), kept=True)
