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
    if request.run is None:
        from harness_score.files import score as score_files

        return score_files(request)
    from harness_score.rescoring import rescore

    return rescore(request.run, request)
