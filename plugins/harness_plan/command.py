"""Say what a run will do, how long it takes and what it needs.

Nothing is trained but some steps of a probe, made once on a machine and thrown away.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

import harness
from harness.kit.terminal.options import ConfigFile, Json, Rounds, Sets, takes

STAGES = 6
"""Data, screening, model, the two jobs of a probe, and tokens."""

app = typer.Typer()


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    config: ConfigFile = None
    rounds: Rounds = None
    sets: Sets = None
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help="train and answer nothing: rows, tokens, steps alone")
    ] = False
    as_json: Json = False


@app.command()
@takes(Request)
def plan(request: Request) -> int:
    """Say what a run will do, how long it takes and what it needs.

    Rows, tokens and steps are counted; seconds and memory come from what was made here before, else
    from a short probe. Exit code 3 where memory or disk is not enough, 4 where training refuses
    rows.
    """
    from rich.console import Console

    from harness.kit.terminal.interrupts import Stop
    from harness.kit.terminal.progress import SHORT, Display
    from harness.kit.terminal.streams import plugins_on_stderr
    from harness_plan.forecasting import plan_run
    from harness_plan.showing import show

    console = Console(stderr=True)
    stop = Stop(lambda message: console.print(message, highlight=False))
    with plugins_on_stderr(), stop, Display(console, "plan", STAGES * SHORT) as display:
        forecast = plan_run(
            request.config,
            request.sets or (),
            request.rounds,
            probe=not request.no_probe,
            watcher=display,
            cancelled=stop.asked,
        )
    if request.as_json:
        sys.stdout.write(json.dumps(forecast.document(), indent=1, allow_nan=False) + "\n")
    else:
        show(forecast, Console())
    if forecast.works:
        return 0
    failure = harness.DataError if forecast.refused else harness.EnvironmentFailure
    return failure.exit_code
