"""Score answers against references, alone or against a baseline."""

from __future__ import annotations

import gc

import typer

from harness.kit.terminal.options import takes
from harness_score.request import Request

app = typer.Typer()

COLLECTIONS = (200_000, 50, 1_000)
"""Thresholds of the garbage collector: reading and scoring make millions of small objects and
hardly a cycle."""


@app.command()
@takes(Request)
def score(request: Request) -> int:
    """Score answers against references, alone or against a baseline."""
    request.check()
    gc.set_threshold(*COLLECTIONS)
    from harness.kit.terminal.streams import plugins_on_stderr
    from harness_score import files, output, rescoring

    with plugins_on_stderr():
        if request.run is None:
            result, systems = files.scored(request)
        else:
            result, systems = rescoring.scored(request.run, request)
    code = output.report(result, systems, request)
    gc.freeze()  # the interpreter would look through millions of objects once more at its end
    return code
