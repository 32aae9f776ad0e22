"""``harness rebuild``: a run's database and reports made again from what it has stored."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.text import Text

from harness.kit.terminal.options import RunName
from harness.kit.text import one_line

app = typer.Typer()


@app.command()
def rebuild(run: RunName = None) -> None:
    """Make a run's database and reports again from what it has stored."""
    from harness.records.context import Quiet
    from harness.report.folders import find_reports, say
    from harness.report.refresh import remake

    folder = find_reports(run)
    written = remake(folder, Quiet(), say, whole=True)  # its summary stays as it is
    line = f"{folder}: {', '.join(written)}"
    Console(stderr=True).print(Text(one_line(line)), highlight=False, soft_wrap=True)
