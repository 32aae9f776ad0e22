"""Say what to do next, and what is not known yet."""

from __future__ import annotations

import dataclasses
import json
import sys

import typer

import harness
from harness.kit.terminal.options import Json, RunName

SCHEMA = "harness.advice/1"

app = typer.Typer()


@app.command()
def advise(run: RunName = None, as_json: Json = False) -> None:
    """Say what to do next, and what is not known yet.

    Levers stand in the order of their expected gain for their cost, each with its evidence.

    Nothing is trained. What is not known is named with the command that finds it out.
    """
    from rich.console import Console

    from harness.kit.terminal.blocks import begins, draw
    from harness_levers.advise.ranking import ranked
    from harness_levers.advise.showing import with_commands

    folder = harness.current_reports(run)
    document = harness.read_analysis(folder)
    options = ranked(document, harness.open_run(folder.name).command())
    if as_json:
        listed = [
            {**dataclasses.asdict(option), "hours": round(option.hours, 4)} for option in options
        ]
        answer = {"schema": SCHEMA, "run": folder.name, "options": listed}
        sys.stdout.write(json.dumps(answer, indent=1, allow_nan=False) + "\n")
        return
    if not options:
        raise harness.UsageError(
            "no round has been trained yet, so there is nothing to advise by",
            where=folder.name, hint="harness iterate",
        )  # fmt: skip
    console = Console()
    for place, block in enumerate(with_commands(options)):
        if place and begins(block):
            console.print()
        draw(block, console)
