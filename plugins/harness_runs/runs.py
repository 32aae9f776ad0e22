"""``harness runs``: the runs of this folder."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

from harness.kit.blocks import Cell, table
from harness.kit.numbers import moment
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import SHOWN, Json, Last
from harness.kit.terminal.tables import note
from harness.kit.text import titled

app = typer.Typer()


@app.command()
def runs(last: Last = None, as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    from harness.report.folders import all_reports, overview

    folders = all_reports()
    whole = (row for folder in folders if (row := overview(folder)))
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
        count = len(folders)
        note(Console(), f"the latest {len(rows):,} of {count:,} runs: --last {count} shows all")


def _cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Four cells of two lines each, so that all of it has room in 80 columns."""
    return (
        (row["run"], moment(row["finished"] or row["started"])),
        (row["model"], row["data"]),
        (titled(row["score"], row["chosen"]), f"round {row['kept']} of {row['rounds']}"),
        row["verdict"],
    )
