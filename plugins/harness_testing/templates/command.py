"""Say how many answers of the latest run are right."""

from __future__ import annotations

import harness
import typer

app = typer.Typer()


@app.command()
def sample(
    number: int = typer.Option(None, "--round", help="default: the best one"),
) -> None:
    """Say how many answers of the latest run are right."""
    run = harness.open_run()
    chosen = run.best if number is None else number
    right = run.right(chosen)
    count = sum(answer is True for answer in right)
    typer.echo(f"{run.name}, round {chosen}: {count} of {len(right)} answers are right")
