"""Say how many runs this folder has."""

from __future__ import annotations

import typer

import harness

app = typer.Typer()


@app.command()
def sample(
    loud: bool = typer.Option(False, "--loud", help="with an exclamation mark"),
) -> None:
    """Say how many runs this folder has."""
    runs = sum(1 for _ in harness.summaries())
    typer.echo(f"{runs} runs" + ("!" if loud else ""))
