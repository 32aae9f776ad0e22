"""Say whether live rows differ from those that a run was judged on."""

from __future__ import annotations

import json
import sys

import typer

from harness.kit.terminal.options import takes
from harness_drift.request import Request

app = typer.Typer()


@app.command()
@takes(Request)
def drift(request: Request) -> int:
    """Say whether live rows differ from those that a run was judged on.

    Exit code 1 where they do; 0 where there is no evidence, or too few rows. Nothing is trained.
    """
    from rich.console import Console

    from harness.kit.terminal.streams import plugins_on_stderr
    from harness.kit.terminal.targets import check_target, write_target
    from harness_drift.choosing import as_lines
    from harness_drift.looking import DRIFTED, look
    from harness_drift.showing import show

    if request.rows is not None:
        check_target("--rows", request.rows)
    with plugins_on_stderr():
        document, chosen = look(request)
    if request.rows is not None:
        write_target("--rows", request.rows, as_lines(chosen))
    if request.as_json:
        sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
    else:
        show(document, Console())
    return 1 if document["verdict"] == DRIFTED else 0
