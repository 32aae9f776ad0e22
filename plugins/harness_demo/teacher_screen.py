"""What ``harness demo teacher`` prints: the steps of a round in which a teacher writes rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console

import harness
from harness.kit.blocks import Column, Table
from harness.kit.numbers import amount, counted, estimate, number, percent
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.tables import head, item, next_command, note
from harness.kit.text import one_line
from harness.records.summary import ShownRound
from harness_demo import units
from harness_demo.walk import Walk

SCORE = "exact"
SHOWN = 3
"""Rows of a reply that are shown."""


def show(walk: Walk, console: Console) -> None:
    """All steps, in the order in which they happen."""
    _weak(walk, console)
    _asked(walk, console)
    _checked(walk, console)
    _brought(walk, console)
    console.print()
    next_command(console, "harness docs teacher")


def document(walk: Walk) -> dict[str, Any]:
    """The same as JSON values."""
    rounds, control = walk.summary.rounds, walk.summary.control
    [cost] = walk.summary.requests
    return {
        "scores": [entry.scores[SCORE].value for entry in rounds],
        "plan": harness.to_json(rounds[1].plan),
        "requests": cost.requests,
        "written": {"rows": walk.teacher.written, "wrong": walk.teacher.wrong},
        "refused": _refused(walk),
        "added": {"rows": walk.added, "wrong": walk.wrong},
        "control": control
        and {
            "difference": control.difference,
            "low": control.low,
            "high": control.high,
        },
        "cost": harness.to_json(walk.summary.requests),
    }


def _weak(walk: Walk, console: Console) -> None:
    head(console, "A model that saw too little of something")
    kinds = ", ".join(units.UNITS)
    note(
        console,
        f"A toy model learns to put amounts into other units ({kinds}). Of "
        f"{' and '.join(units.RARE)} train has {units.FEW} rows each, of the others "
        f"{units.ROWS['train']}. The loop is not told. What it finds after round 1, and the rows "
        "that it plans:",
    )
    first = walk.summary.rounds[1]
    scores = {part.slice: part.score for part in first.slices}
    rows = tuple(
        (one_line(item.slice or "everywhere", 40),
         "" if (score := scores.get(item.slice)) is None else f"{score:.2f}", item.rows)
        for item in first.plan
    )  # fmt: skip
    columns = (Column("slice"), Column("score", "number"), Column("rows planned", "number"))
    draw_rows(Table(columns, rows, "the plan after round 1"), console)


def _asked(walk: Walk, console: Console) -> None:
    head(console, "What the teacher is asked")
    note(
        console,
        "The pool has no rows of these kinds, so a larger model is asked to write some. Here a "
        "server on this machine stands in for it, whose answers are computed: "
        f"{percent(units.WRONG)} of them are wrong, a quarter of these in the same way each time. "
        "The first request, which is made of rows of train alone:",
    )
    for line in walk.teacher.request.splitlines():
        if line:
            item(console, one_line(line, 200))
    note(console, "The first rows that came back:")
    for row in json.loads(walk.teacher.reply)[:SHOWN]:
        right = row["answer"] == units.right(row["prompt"])
        item(console, f"{row['prompt']} {row['answer']}" + ("" if right else "  (wrong)"))


def _checked(walk: Walk, console: Console) -> None:
    head(console, "What becomes of its rows")
    teacher = walk.teacher
    note(
        console,
        "A row may train once two of three answers of the teacher agree (verify: [{agree: 3}]), "
        "and the gate finds that it repeats no row of dev, test or train. After both rounds:",
    )
    rows: list[tuple[str | int, ...]] = [("written", teacher.written, teacher.wrong)]
    rows += [(f"refused: {reason}", count, "") for reason, count in _refused(walk).items()]
    rows.append(("added to train", walk.added, walk.wrong))
    columns = (Column("rows"), Column("number", "number"), Column("of these wrong", "number"))
    draw_rows(Table(columns, tuple(rows), "rows of the teacher"), console)
    note(
        console,
        "Rows beyond what the plan asks for are left. What agreement lets through is mostly wrong "
        "in the same way each time: that only a metric, a judge of another model, or people see.",
    )


def _refused(walk: Walk) -> Mapping[str, int]:
    """Reason -> rows, after both rounds."""
    counts: Counter[str] = Counter()
    for entry in walk.summary.rounds:
        counts.update(entry.refused)
    return counts


def _brought(walk: Walk, console: Console) -> None:
    head(console, "What the rows brought")
    rounds, control = walk.summary.rounds, walk.summary.control
    assert control is not None  # the demonstration's config asks for it
    rows: list[tuple[str, ...]] = []
    for place, when in ((1, "before"), (2, "with the teacher's rows")):
        rows.append(_score(f"round {place}, {when}", rounds[place]))
    rows.append(_score("round 2, without them (control: none)", control.rounds[2]))
    columns = (Column("model"), Column("rows of train", "number"), Column("score", "number"),
               Column("verdict", "label"))  # fmt: skip
    draw_rows(Table(columns, tuple(rows), "what the rows brought"), console)
    gained = estimate(control.difference, control.low, control.high, 2, plus=True)
    [cost] = walk.summary.requests
    tokens = cost.prompt_tokens + cost.answer_tokens
    note(
        console,
        f"With minus without the rows: {gained}. {counted(cost.requests, 'request')} took "
        f"{tokens:,} tokens, {amount(cost.money or 0.0)} of money at the price of the config "
        "(1 and 4 for a million).",
    )


def _score(name: str, entry: ShownRound) -> tuple[str, ...]:
    score = number(entry.scores[SCORE].value, 2)
    return name, str(entry.train_rows), score, entry.verdict.label
