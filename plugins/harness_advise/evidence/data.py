"""More rows, rows for what underperforms, and rows with wrong references."""

from __future__ import annotations

from collections.abc import Iterator

from harness_advise.options import Option
from harness_advise.raters import Raters
from harness_advise.run import Run

CONFLICT, NARROW = "conflict", "narrow reference"
LEAST_SHARE, LEAST = 0.2, 5
"""Share and number of failing answers from which on a cause is a sign."""


def rows(run: Run) -> Iterator[Option]:
    """What as many rows again are worth, by the curve; which ones, by what raters find worst."""
    curve, weak = run.levers.get("curve"), Raters(run).weak()
    if not curve or curve.get("per_doubling") is None:
        overfitted = run.course.get("kind") == "overfitting"
        signs = [str(run.course.get("sentence"))] if overfitted else []
        yield Option(
            lever="rows", state="open", action="measure what more rows are worth",
            evidence=(*signs, "no curve was measured", *weak), seconds=3.5 * run.seconds_of_one,
            command=run.command("curve=true"), urgency=2 * overfitted + (run.train_rows < 300),
        )  # fmt: skip
        return
    gain, low, high = (curve[key] for key in ("per_doubling", "low", "high"))
    more = max((point["rows"] for point in curve["points"]), default=run.train_rows)
    known = {"gain": gain, "low": low, "high": high, "written": more, "seconds": run.seconds_of_one}
    told = (str(curve.get("sentence", "")),)
    action = f"add rows like those of train, up to {more} more"
    if low is not None and low > 0:
        yield Option(lever="rows", state="shown", action=action, evidence=(*told, *weak), **known)
    elif high is not None and run.worth is not None and high < run.worth:
        yield Option(lever="rows", state="excluded", action="more rows like those of train",
                     evidence=told)  # fmt: skip
    elif gain > 0:
        yield Option(lever="rows", state="likely", action=action, evidence=(*told, *weak), **known)


def labels(run: Run) -> Iterator[Option]:
    """References that contradict each other, by the causes of failing answers."""
    count = run.causes.get(CONFLICT, 0) + run.causes.get(NARROW, 0)
    if count < LEAST or count < LEAST_SHARE * run.failing:
        return
    ids = [
        name
        for row in run.table("causes")
        if row["cause"] in (CONFLICT, NARROW)
        for name in row.get("ids") or ()
    ]
    yield Option(
        lever="labels", state="likely",
        action="read and mend references that contradict each other",
        evidence=(
            f"of {run.failing} failing answers, {count} have near rows of train that contradict "
            "each other or the reference, or differ from the reference in wording alone",
        ),
        gain=count / run.dev_rows if run.dev_rows else None, high=None, read=3 * count,
        command=f"harness why {ids[0]} {run.document.get('run', '')}" if ids else "",
    )  # fmt: skip


def another_round(run: Run) -> Iterator[Option]:
    """One round more, where a slice underperforms that rows can be added for."""
    last = run.rounds[-1]
    held = [one for one in last.get("slices") or () if one.get("holds") and one.get("from_prompt")]
    gaps = sum(abs(one["gap"]) * one["n"] for one in held if one.get("gap") and one.get("n"))
    if not held or not run.dev_rows or last["round"] == 0 or not run.adds_rows:
        return
    improved = last["verdict"]["label"] == "improved"
    names = ", ".join(str(one["slice"]) for one in held[:2])
    yield Option(
        lever="round", state="likely" if improved else "open",
        action="let the loop add rows for what underperforms: one round more",
        evidence=(
            f"{names} underperform{'s' if len(held) == 1 else ''}; without that the score would be "
            f"{run.shown(gaps / run.dev_rows)} higher at most",
            f"round {last['round']} {'improved' if improved else 'did not improve'}",
        ),
        gain=gaps / run.dev_rows if improved else None, seconds=2 * run.seconds_of_one,
        command=run.command(another=True, further=1),
    )  # fmt: skip
