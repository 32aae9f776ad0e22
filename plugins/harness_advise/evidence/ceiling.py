"""Is there anything left to gain?"""

from __future__ import annotations

from collections.abc import Iterator

from harness_advise.options import Option
from harness_advise.run import Run

MISS = 0.05
"""Chance with which a bound may be wrong."""


def ceiling(run: Run) -> Iterator[Option]:
    """*Stop* where the upper bound of what is left lies below the gain that would matter.

    The best that a score can be is 1 where all its values lie between 0 and 1, and 100 where they
    lie below 100; of other scores it is not known. Where no row differs, the bound of what is left
    is that of the binomial law: 1 - .05^(1/n) for n groups without a failure.
    """
    score, best = run.score(run.reference if run.kept else run.rounds[0]), _best(run)
    value = score.get("value")
    if best is None or value is None or run.worth is None:
        return
    groups = (run.document.get("data") or {}).get("dev_groups") or run.dev_rows
    low = score.get("low")
    if low is None or value == best:
        low = best * MISS ** (1 / groups) if value == best and groups else None
    if low is None or best - low >= run.worth:
        return
    yield Option(
        lever="stop", state="shown", action="stop: there is nothing left to gain that would matter",
        evidence=(
            f"{run.primary} is {run.shown(value)} of at most {best:g}; what is left is "
            f"{run.shown(best - low)} at most, less than {run.shown(run.worth)}",
        ),
        gain=0.0,
    )  # fmt: skip


def _best(run: Run) -> float | None:
    values = [run.score(one).get("value") for one in run.rounds]
    known = [value for value in values if value is not None]
    if not known or not run.higher_is_better or min(known) < 0:
        return None
    return 1.0 if max(known) <= 1 else 100.0 if max(known) <= 100 else None
