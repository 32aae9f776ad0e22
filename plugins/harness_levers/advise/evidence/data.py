"""More rows, rows for what underperforms, and rows with wrong references."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from harness_levers.advise.options import Option
from harness_levers.advise.run import NOISE, Document, Run

CONFLICT, NARROW = "conflict", "narrow reference"
MOST_SEEDS = 20
"""Most trainings of a share that a curve may have."""
LEAST_SHARE, LEAST = 0.2, 5
"""Share and number of failing answers from which on a cause is a sign."""


def rows(run: Run) -> Iterator[Option]:
    """What as many rows again are worth, by the curve; without one, what the rounds show."""
    curve = run.levers.get("curve")
    if not curve:
        overfitted = run.course.get("kind") == "overfitting"
        signs = [str(run.course.get("sentence"))] if overfitted else []
        yield Option(
            lever="rows", state="open", action="measure what more rows are worth",
            evidence=(*signs, _of_rounds(run) or "no curve was measured"),
            seconds=3.5 * run.seconds_of_one, command=run.command("curve=true"),
            urgency=2 * overfitted + (run.train_rows < 300),
        )  # fmt: skip
        return
    told = (str(curve.get("sentence", "")),)
    if curve.get("per_doubling") is None:
        yield Option(
            lever="rows", state="open", evidence=told,
            action="more rows like those of train: the curve that was measured does not say",
        )  # fmt: skip
        return
    gain, low, high = (curve[key] for key in ("per_doubling", "low", "high"))
    more = max((point["rows"] for point in curve["points"]), default=run.train_rows)
    known = {"gain": gain, "low": low, "high": high}
    cost: dict[str, Any] = {"written": more, "seconds": run.seconds_of_one}
    action = f"add rows like those of train, up to {more} more"
    if low is not None and low > NOISE:
        yield Option(lever="rows", state="shown", action=action, evidence=told, **known,
                     **cost)  # fmt: skip
    elif run.too_little(low, high) or (high is not None and high < -NOISE):
        yield Option(lever="rows", state="excluded", action="more rows like those of train",
                     evidence=told)  # fmt: skip
    elif gain > NOISE:
        yield Option(lever="rows", state="likely", action=action, evidence=told, **known,
                     **cost)  # fmt: skip
    else:
        command, seconds = _repeated(run, curve["points"])
        yield Option(
            lever="rows", state="open", action="measure with more seeds what more rows are worth",
            evidence=told, command=command, seconds=seconds, **known,
        )  # fmt: skip


def _of_rounds(run: Run) -> str:
    """How the score went as rounds added rows; empty where none did."""
    trained = [one for one in run.rounds if one["round"] > 0 and one.get("train_rows")]
    sizes = [one["train_rows"] for one in trained]
    if len(set(sizes)) < 2:
        return ""
    steps = ", ".join(
        f"{one['train_rows']:,} rows {run.shown(run.score(one).get('value'))}" for one in trained
    )
    return (
        f"by round, {steps} ({trained[-1]['verdict']['label']} at last); these rows were chosen "
        "for what underperformed, so what rows like those of train are worth is another question"
    )


def _repeated(run: Run, points: Sequence[Document]) -> tuple[str, float]:
    """The command that measures the curve with twice as many seeds, and its seconds."""
    shares: list[Any] = [point.get("share") for point in points]
    have = max((len(point.get("values") or ()) for point in points), default=0)
    count = min(2 * max(have, 1), MOST_SEEDS)
    if None in shares or count <= have:
        return "", 0.0
    seconds = (count - have) * sum(shares) * run.seconds_of_one
    return run.command(f"curve={json.dumps({'shares': shares, 'seeds': count})}"), seconds


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
        gain=count / run.dev_rows * run.range if run.dev_rows and run.range else None,
        read=3 * count,
        command=shlex.join(["harness", "why", ids[0], str(run.document["run"])]) if ids else "",
    )  # fmt: skip


def another_round(run: Run) -> Iterator[Option]:
    """One round more, where a slice underperforms that rows can be added for.

    Slices overlap, so that their gaps are not added up: the widest one says what there is to gain.
    """
    last = run.rounds[-1]
    held = [one for one in last.get("slices") or () if one.get("holds") and one.get("from_prompt")]
    gaps = {
        str(one["slice"]): abs(one["gap"]) * (one.get("n") or 0) for one in held if one.get("gap")
    }
    if not gaps or not run.dev_rows or last["round"] == 0 or not run.adds_rows:
        return
    improved = last["verdict"]["label"] == "improved"
    widest = max(gaps, key=lambda name: gaps[name])
    gain = gaps[widest] / run.dev_rows
    names = ", ".join(str(one["slice"]) for one in held[:2])
    yield Option(
        lever="round", state="likely" if improved else "open",
        action="let the loop add rows for what underperforms: one round more",
        evidence=(
            f"{names} underperform{'s' if len(held) == 1 else ''}; at the level of the other "
            f"rows '{widest}' would make the score {run.shown(gain)} better at most",
            f"round {last['round']} {'improved' if improved else 'did not improve'}",
        ),
        gain=gain if improved else None, seconds=2 * run.seconds_of_one,
        command=run.command(another=True, further=1),
    )  # fmt: skip
