"""``harness rebuild``: a run's database and reports made again from what it has stored."""

from __future__ import annotations

import typer

import harness
from harness.kit.terminal.options import RunName
from harness.kit.terminal.streams import say

app = typer.Typer()


@app.command()
def rebuild(run: RunName = None) -> None:
    """Make a run's database and reports again from what it has stored."""
    folder = harness.find_reports(run)
    # Its summary stays as it is.
    written = harness.remake(folder, harness.Quiet(), say, whole=True)
    say(f"{folder}: {', '.join(written)}")
