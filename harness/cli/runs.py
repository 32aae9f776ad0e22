"""``harness runs``: the runs of this folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

from harness.kit.blocks import Cell, table
from harness.kit.numbers import moment
from harness.kit.text import titled
from harness.terminal.blocks import draw_rows
from harness.terminal.options import Json

app = typer.Typer()


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    from harness.report.folders import all_reports, overview

    rows = [row for folder in all_reports() if (row := overview(folder))]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    if not rows:
        Console().print("no runs yet: harness iterate")
        return
    titles = ("run", "model and data", "best round", "test verdict")
    draw_rows(table(titles, map(_cells, rows)), Console())


def _cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Four cells of two lines each, so that all of it has room in 80 columns."""
    return (
        (row["run"], moment(row["finished"] or row["started"])),
        (row["model"], row["data"]),
        (titled(row["score"], row["chosen"]), f"round {row['kept']} of {row['rounds']}"),
        row["verdict"],
    )
