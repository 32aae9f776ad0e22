"""Look at this machine, and at what the config lacks here.

Nothing is changed, no row is read and no model is loaded.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

import harness
from harness.terminal.options import ConfigFile, Json, Sets, takes

AFTER = "check"
SECONDS = 8.0

app = typer.Typer()


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    config: ConfigFile = None
    sets: Sets = None
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=600, help="longest wait for what may hang")
    ] = SECONDS
    as_json: Json = False


@app.command()
@takes(Request)
def doctor(request: Request) -> int:
    """Look at this machine, and at what the config lacks here.

    Ends with a block for an issue, without names and paths of yours. Exit code 3 where harness or
    the config lacks something.
    """
    from rich.console import Console

    from harness.kit.privacy import of_this_user
    from harness.terminal.progress import SHORT, Display
    from harness_doctor.examining import examine
    from harness_doctor.showing import document, show

    if request.config is not None and not request.config.is_file():
        raise harness.ConfigError("this config file does not exist", where=str(request.config))
    with Display(Console(stderr=True), "doctor", SHORT) as display:
        report = display.stage("looking at torch, the network and the config")
        found = examine(request.config, request.sets or (), request.seconds, report)
    private = of_this_user()
    if request.as_json:
        made = json.dumps(document(found, private), indent=1, allow_nan=False)
        sys.stdout.write(made + "\n")
    else:
        show(found, private, Console())
    return found.exit_code
