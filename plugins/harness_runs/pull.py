"""``harness pull``: a run of the shared store, here."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

import harness
from harness.kit.terminal.options import RunName
from harness.kit.terminal.streams import say
from harness.kit.text import one_line

app = typer.Typer()


@app.command()
def pull(
    run: RunName = None,
    store: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--store", metavar="URL", help="the store, where no config here names it"),
    ] = None,
) -> None:
    """Have a run of the shared store here.

    Without a name the runs of the store are listed. Answers, scores and weights come when they
    are asked for. Python files are taken with --trust alone. Nothing that is pulled counts as your
    own: what it starts, asks, reads or imports is left out unless --trust is said.
    """
    from harness.kit import gate

    if run is None:
        for name in harness.stored_runs(store):
            typer.echo(one_line(name))
        return
    for sentence in harness.pull_run(run, store, code=gate.is_trusting()):
        say(f"note: {one_line(sentence)}")
    say(
        f"{run} is here: harness report {run}; where its config names files of code or a server, "
        f"harness --trust report {run}"
    )
