"""``harness runs``: the runs of this folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from harness.kit.numbers import moment
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
    shown = table("run", "model and data", "best round", "test verdict")
    for row in rows:
        shown.add_row(*_cells(row))
    Console().print(shown if rows else Text("no runs yet: harness iterate"))


def _cells(row: Mapping[str, Any]) -> list[Text]:
    """Four cells of two lines each, so that all of it has room in 80 columns."""
    begun = moment(row["finished"] or row["started"])
    return [
        _two(row["run"], begun),
        _two(row["model"], row["data"]),
        _two(titled(row["score"], row["chosen"]), f"round {row['kept']} of {row['rounds']}"),
        _two(row["verdict"], ""),
    ]


def _two(first: str, second: str) -> Text:
    """A cell of two lines, the second less loud."""
    cell = Text(one_line(first))
    return cell.append(f"\n{one_line(second)}", "dim") if second else cell
