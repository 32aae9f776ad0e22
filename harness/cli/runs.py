"""``harness runs``: the runs of this folder."""

from __future__ import annotations

import json
import sys

import typer
from rich.console import Console
from rich.text import Text

from harness.kit.text import one_line, titled
from harness.terminal.options import Json
from harness.terminal.tables import table

app = typer.Typer()


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    from harness.report.folders import all_reports, overview

    rows = [row for folder in all_reports() if (row := overview(folder))]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    shown = table("run", "rounds", "best round", "score", "test verdict")
    for row in rows:
        score = titled(row["score"], row["chosen"])
        cells = (row["run"], row["rounds"], row["kept"], score, row["verdict"])
        shown.add_row(*(Text(one_line(str(cell))) for cell in cells))
    Console().print(shown if rows else Text("no runs yet: harness iterate"))
