"""Show what a verdict is worth: simulated loops, in half a minute.

No model is loaded and nothing is written.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from harness.kit.terminal.options import Json

app = typer.Typer()

LOOPS = 400
Seed = Annotated[int, typer.Option("--seed", help="another one draws other answers")]


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    loops: Annotated[
        int, typer.Option("--loops", min=1, max=100_000, help="loops to simulate of each kind")
    ] = LOOPS,
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """Show what a verdict is worth: simulated loops, in half a minute."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from harness_demo.loops_screen import document, show
    from harness_demo.outcome import simulate

    outcomes = simulate(loops, seed)
    if as_json:
        _print(document(outcomes))
    else:
        show(outcomes, Console())


@app.command()
def teacher(seed: Seed = 7, as_json: Json = False) -> None:
    """Show how a larger model writes rows for what is weak, in half a minute.

    A server on this machine stands in for the larger model; nothing is left behind.
    """
    from rich.console import Console

    from harness.kit.terminal.progress import SHORT, Display
    from harness_demo.teacher_screen import document, show
    from harness_demo.walk import walk

    with Display(Console(stderr=True), "demo", SHORT) as display:
        label = "two rounds on toy stages, with rows of a teacher"
        display.stage(label)
        walked = walk(seed)
        display.stage_done("demo", label, 0.0, False)
    if as_json:
        _print(document(walked))
    else:
        show(walked, Console())


def _print(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
