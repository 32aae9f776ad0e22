"""Show one row: its answers in all rounds, and why they fail."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import harness
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import begins, draw
from harness.kit.terminal.options import Json, RunName
from harness_inspection.commands.printing import write_json

if TYPE_CHECKING:
    from harness_inspection.row import ExplainedRow

app = typer.Typer()


@app.command()
def why(
    name: Annotated[str, typer.Argument(metavar="ID", help="of a row, as harness errors lists it")],
    run: RunName = None,
    open_test: Annotated[
        bool,
        typer.Option(
            "--open-test", help="read the sealed test set; counts as a test-set evaluation"
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one row: its answers in all rounds, and why they fail."""
    from harness_inspection.explained import blocks_of
    from harness_inspection.row import explained

    document = explained(harness.current_reports(run), name, open_test)
    if as_json:
        write_json(document)
        return
    console = Console()
    for place, block in enumerate(blocks_of(document)):
        if place and begins(block):
            console.print()
        draw(block, console)
    console.print()
    tables.next_command(console, _next(document, run))


def _next(document: ExplainedRow, run: str | None) -> str:
    named = [run] if run else []
    causes = [c.cause for c in document.causes if c.round == document.kept_round]
    best = [a for a in document.answers if a.round == document.kept_round]
    categories = [e.category for answer in best for e in answer.errors]
    if causes:
        return shlex.join(["harness", "errors", *named, "--cause", causes[0]])
    if categories and document.split == "dev":
        return shlex.join(["harness", "errors", *named, "--category", categories[0]])
    return shlex.join(["harness", "errors", *named])
