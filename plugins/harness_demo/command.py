"""Show what a verdict is worth: simulated loops, in half a minute.

No model is loaded and nothing is written.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from harness.terminal.options import Json

app = typer.Typer()

LOOPS = 400


@app.command()
def demo(
    loops: Annotated[
        int, typer.Option("--loops", min=1, max=100_000, help="loops to simulate of each kind")
    ] = LOOPS,
    seed: Annotated[int, typer.Option("--seed", help="another one draws other answers")] = 7,
    as_json: Json = False,
) -> None:
    """Show what a verdict is worth: simulated loops, in half a minute."""
    from rich.console import Console

    from harness_demo.outcome import simulate
    from harness_demo.showing import document, show

    outcomes = simulate(loops, seed)
    if as_json:
        sys.stdout.write(json.dumps(document(outcomes), indent=1, allow_nan=False) + "\n")
        return
    show(outcomes, Console())
