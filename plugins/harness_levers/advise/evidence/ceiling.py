"""Is there anything left to gain?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.records.summary import UNSCORED, ShownScore
from harness_levers.advise.options import Option
from harness_levers.advise.run import Run

MISS = 0.05
"""Chance with which a bound may be wrong."""


def ceiling(run: Run) -> Iterator[Option]:
    """*Stop* where every row of dev and of test has the best score, or where the upper bound of
    what is left lies below the gain that would matter.

    The best that a score can be is what its metric declares; where it declares no limit, nothing
    is known. Where no row differs, the bound of what is left is that of the binomial law for n
    groups without a failure: 1 - .05^(1/n) of the range.
    """
    entry, test = run.reference if run.kept else run.rounds[0], run.document.test
    score = entry.scores.get(run.primary, UNSCORED)
    best = run.document.bounds[1 if score.higher_is_better else 0]
    value = score.value
    if value is None or best is None:
        return
    if test and value == best == test.kept.get(run.primary, UNSCORED).value:
        yield Option(
            lever="stop", state="shown", action="there is nothing left to gain on rows like these",
            evidence=(
                f"{run.primary} is {run.shown(value)} on dev and on test, the best that it can be",
            ),
            gain=0.0,
        )  # fmt: skip
        return
    if run.worth is None:
        return
    left = _left(run, score, best)
    if left is None or left >= run.worth:
        return
    limit = "most" if score.higher_is_better else "least"
    yield Option(
        lever="stop", state="shown", action="there is nothing left to gain that would matter",
        evidence=(
            f"{run.primary} is {run.shown(value)} of at {limit} {best:g}; what is left is "
            f"{run.shown(left)} at most, less than {run.shown(run.worth)}",
        ),
        gain=0.0,
    )  # fmt: skip


def _left(run: Run, score: ShownScore, best: float) -> float | None:
    """The upper bound of what is left to gain."""
    if score.value == best:
        groups = run.document.data.dev_groups or run.dev_rows
        return run.range * (1 - MISS ** (1 / groups)) if run.range and groups else None
    bound = score.low if score.higher_is_better else score.high
    return None if bound is None else abs(best - bound)
