"""``harness test``: the sealed test set of a run that ended before it was opened."""

from __future__ import annotations

import shlex

import typer

from harness.cli.iterate import RunRequest, to_the_end
from harness.errors import UsageError
from harness.kit.terminal.options import Json, RunName
from harness.kit.terminal.requirements import Require
from harness.records import BASE_ARM
from harness.records.context import Quiet

app = typer.Typer()


@app.command()
def open_test(run: RunName = None, require: Require = None, as_json: Json = False) -> None:
    """Evaluate the sealed test set of a run that ended with --no-test."""
    from harness.opened import opened
    from harness.report.folders import find_reports
    from harness.run import resume_command
    from harness.run.run import Run

    request = RunRequest(require, as_json=as_json)
    request.check()
    name = find_reports(run).name
    with request.streams():
        stored = opened(name, Quiet())
    if len(stored.journal.rounds(BASE_ARM)) <= stored.config.settings.rounds:
        words = resume_command.read(stored.folder) or list(resume_command.PLAIN)
        raise UsageError("its rounds are not all closed", where=name, hint=shlex.join(words))
    code = to_the_end(
        lambda stop: Run(stored.config, Quiet(), cancelled=stop.asked, name=name), request
    )
    raise typer.Exit(code)
