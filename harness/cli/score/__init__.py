"""``harness score``: predictions against references, alone or against a baseline."""

from __future__ import annotations

import typer

from harness.cli.score.request import Request
from harness.terminal.options import takes

app = typer.Typer()


@app.command()
@takes(Request)
def score(request: Request) -> None:
    """Score answers against references, alone or against a baseline."""
    import gc

    from harness.scoring import workers

    request.check()
    gc.set_threshold(*workers.RARE)
    if request.run is None:
        from harness.cli.score.files import score as work
    else:
        from harness.cli.score.stored import rescore as work
    work(request)
