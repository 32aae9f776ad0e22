"""More rows, rows for what underperforms, and rows with wrong references."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence

from harness.kit.documents import written_rows
from harness.kit.numbers import amount, duration
from harness.records.analysis import CauseCount
from harness.records.summary import UNSCORED
from harness_levers.advise.options import Option, State
from harness_levers.advise.run import NOISE, Run
from harness_levers.records import CurvePoint

CONTRADICT = ("conflict", "narrow reference")
"""Causes that are mended in references."""
MOST_SEEDS = 20
"""Most trainings of a share that a curve may have."""
LEAST_SHARE, LEAST = 0.2, 5
"""Share and number of failing answers from which on a cause is a sign."""


def rows(run: Run) -> Iterator[Option]:
    """What as many rows again are worth, by the curve; without one, what the rounds show."""
    curve = run.curve
    if curve is None:
        course = run.course("overfitting")
        signs = [course.sentence] if course else []
        yield Option(
            lever="rows", state="open", action="measure what more rows are worth",
            evidence=(*signs, _of_rounds(run) or "no curve was measured"),
            seconds=3.5 * run.seconds_of_one, command=run.command("curve=true"),
            urgency=2 * len(signs) + (run.reference.train_rows < 300),
        )  # fmt: skip
        return
    evidence, gain, low, high = (curve.sentence,), curve.per_doubling, curve.low, curve.high
    if gain is None:
        yield Option(
            lever="rows", state="open", evidence=evidence,
            action="more rows like those of train: the curve that was measured does not say",
        )  # fmt: skip
        return
    shown = low is not None and low > NOISE
    if not shown and (run.too_little(low, high) or (high is not None and high < -NOISE)):
        yield Option(
            lever="rows", state="excluded", action="more rows like those of train",
            evidence=evidence,
        )  # fmt: skip
    elif shown or gain > NOISE:
        more = max((point.rows for point in curve.points), default=run.reference.train_rows)
        yield Option(
            lever="rows", state="shown" if shown else "likely",
            action=f"add rows like those of train, up to {more} more", evidence=evidence,
            gain=gain, low=low, high=high, written=more, seconds=run.seconds_of_one,
        )  # fmt: skip
    else:
        command, seconds = _repeated(run, curve.points)
        yield Option(
            lever="rows", state="open", action="measure with more seeds what more rows are worth",
            evidence=evidence, gain=gain, low=low, high=high, command=command, seconds=seconds,
        )  # fmt: skip


def _of_rounds(run: Run) -> str:
    """How the score went as rounds added rows; empty where none did."""
    trained = [entry for entry in run.rounds if entry.round > 0 and entry.train_rows]
    if len({entry.train_rows for entry in trained}) < 2:
        return ""
    steps = ", ".join(
        f"{entry.train_rows:,} rows {run.shown(entry.scores.get(run.primary, UNSCORED).value)}"
        for entry in trained
    )
    return (
        f"by round, {steps} ({trained[-1].verdict.label} at last); these rows were chosen "
        "for what underperformed, so what rows like those of train are worth is another question"
    )


def _repeated(run: Run, points: Sequence[CurvePoint]) -> tuple[str, float]:
    """The command that measures the curve with twice as many seeds, and its seconds."""
    shares = [point.share for point in points]
    have = max((len(point.values) for point in points), default=0)
    count = min(2 * max(have, 1), MOST_SEEDS)
    if count <= have:
        return "", 0.0
    seconds = (count - have) * sum(shares) * run.seconds_of_one
    return run.command(f"curve={json.dumps({'shares': shares, 'seeds': count})}"), seconds


def written(run: Run) -> Iterator[Option]:
    """Rows that a model writes: what one costs, and what they brought over the control arm."""
    cost = written_rows(run.document)
    if cost is None:
        return
    costs = [f"{cost.tokens:,.0f} tokens"] if cost.tokens is not None else []
    costs += [f"{amount(cost.money)} of money"] if cost.money is not None else []
    costs += [duration(cost.seconds)] if cost.seconds is not None else []
    price = f"one of {cost.rows} written rows cost {', '.join(costs) or 'what is not known'}"
    control = run.document.control
    if not control or control.difference is None or control.instead == "random":
        yield Option(
            lever="rows", state="open",
            action="find out whether written rows are worth it: control: random on their entry "
            "compares with as many real rows, control: none with no rows",
            evidence=(price, *((control.sentence,) if control else ())),
            seconds=2 * run.seconds_of_one,
        )  # fmt: skip
        return
    low, high = control.low, control.high
    state: State = "open"
    if low is not None and high is not None:
        state = "shown" if low > NOISE else "excluded" if high < -NOISE else "open"
    yield Option(
        lever="rows", state=state, gain=control.difference, low=low, high=high,
        action="have more rows written" if state == "shown" else "rows that a model writes"
        if state == "excluded" else "find out with more seeds whether written rows are worth it",
        evidence=(control.sentence, price), seconds=2 * run.seconds_of_one,
        command=run.command(another=True, further=1) if state == "shown" else "",
    )  # fmt: skip


def labels(run: Run) -> Iterator[Option]:
    """References that contradict each other, by the causes of failing answers."""
    causes = [row for row in run.document.rows(CauseCount) if row.cause in CONTRADICT]
    count, ids = sum(row.answers for row in causes), [name for row in causes for name in row.ids]
    if count < LEAST or count < LEAST_SHARE * run.failing:
        return
    yield Option(
        lever="labels", state="likely",
        action="read and mend references that contradict each other",
        evidence=(
            f"of {run.failing} failing answers, {count} have near rows of train that contradict "
            "each other or the reference, or differ from the reference in wording alone",
        ),
        gain=count / run.dev_rows * run.range if run.dev_rows and run.range else None,
        read=3 * count,
        command=shlex.join(["harness", "why", ids[0], run.document.run]) if ids else "",
    )  # fmt: skip


def another_round(run: Run) -> Iterator[Option]:
    """One round more, where a slice underperforms that rows can be added for.

    Slices overlap, so that their gaps are not added up: the widest one says what there is to gain.
    """
    last = run.rounds[-1]
    held = [part for part in last.slices if part.holds and part.from_prompt]
    gaps = {part.slice: abs(part.gap) * part.n for part in held if part.gap}
    adds_rows = run.document.settings.get("augment") != []
    if not gaps or not run.dev_rows or last.round == 0 or not adds_rows:
        return
    improved = last.verdict.label == "improved"
    widest = max(gaps, key=lambda name: gaps[name])
    gain = gaps[widest] / run.dev_rows
    names = ", ".join(part.slice for part in held[:2])
    yield Option(
        lever="round", state="likely" if improved else "open",
        action="let the loop add rows for what underperforms: one round more",
        evidence=(
            f"{names} underperform{'s' if len(held) == 1 else ''}; at the level of the other "
            f"rows '{widest}' would make the score {run.shown(gain)} better at most",
            f"round {last.round} {'improved' if improved else 'did not improve'}",
        ),
        gain=gain if improved else None, seconds=2 * run.seconds_of_one,
        command=run.command(another=True, further=1),
    )  # fmt: skip
