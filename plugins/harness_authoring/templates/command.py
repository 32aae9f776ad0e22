"""Say how many runs this folder has."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer()


@app.command()
def sample(
    loud: bool = typer.Option(False, "--loud", help="with an exclamation mark"),
) -> None:
    """Say how many runs this folder has."""
    runs = len(list(Path("reports").glob("*/summary.json")))
    typer.echo(f"{runs} runs" + ("!" if loud else ""))
