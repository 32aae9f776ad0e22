"""``harness runs``: the runs of this folder."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

import harness
from harness.kit.blocks import Cell, table
from harness.kit.numbers import moment
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import SHOWN, Json, Last
from harness.kit.terminal.tables import note
from harness.kit.text import one_line, titled

app = typer.Typer()


@app.command()
def runs(last: Last = None, as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    whole = map(overview, harness.summaries())
    rows = list(itertools.islice(whole, last or (None if as_json else SHOWN)))
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    if not rows:
        Console().print("no runs yet: harness iterate")
        return
    titles = ("run", "model and data", "best round", "test verdict")
    draw_rows(table(titles, map(_cells, rows)), Console())
    if next(whole, None) is not None:
        count = len(harness.all_reports())
        note(Console(), f"the latest {len(rows):,} of {count:,} runs: --last {count} shows all")


def overview(summary: harness.Summary) -> dict[str, Any]:
    """A run in a line."""
    score = summary.best.scores[summary.primary]
    name = titled(summary.primary, score.caveat)
    return {
        "run": summary.run,
        "started": summary.dates.started,
        "finished": summary.dates.finished,
        "model": summary.model.base,
        "adapter": summary.model.adapter,
        "data": _data(summary),
        "rounds": len(summary.rounds) - 1,
        "kept": summary.kept_round,
        "primary": summary.primary,
        "value": score.value,
        "score": f"{name} {score.value:.4g}" if score.value is not None else "unscored",
        "chosen": one_line(summary.chosen.short, 120) if summary.chosen else "",
        "verdict": _outcome(summary),
    }


def _data(summary: harness.Summary) -> str:
    """``jsonl rows.jsonl, 150 train rows``: the source, what it reads, its size."""
    source, *values = [*(summary.settings.get("data") or {}).values()] or [""]
    named = (value if isinstance(value, str) else _first_text(value) for value in values)
    name = next((text for text in named if text not in ("", ".")), "")
    rows = summary.data.rows.get("train")
    size = f"{rows} train rows" if rows is not None else ""
    what = " ".join(part for part in (str(source), name) if part)
    return one_line(", ".join(part for part in (what, size) if part), 120)


def _first_text(value: Any) -> str:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""


def _outcome(summary: harness.Summary) -> str:
    """What test says, and at which opening: read side by side, such verdicts are a selection."""
    if test := summary.test:
        label = test.verdict.label
        return label if test.looks == 1 else f"{label} (test opening {test.looks})"
    if summary.sealed is None:
        return "not finished"
    return "none kept" if summary.sealed.reason == "nothing kept" else "test not opened"


def _cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Four cells of two lines each, so that all of it has room in 80 columns."""
    return (
        (row["run"], moment(row["finished"] or row["started"])),
        (row["model"], row["data"]),
        (titled(row["score"], row["chosen"]), f"round {row['kept']} of {row['rounds']}"),
        row["verdict"],
    )
