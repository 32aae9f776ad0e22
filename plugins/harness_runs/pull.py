"""``harness pull``: a run of the shared store, here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.text import Text

from harness.config.finding import FILE_NAME
from harness.errors import UsageError
from harness.kit import yaml_file
from harness.kit.terminal.options import RunName
from harness.kit.text import one_line
from harness.run.places import MACHINE_FOLDER

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
    from harness.run import objects, shared_run

    shared = objects.tried(_url(store))
    if run is None:
        for name in shared_run.names(shared):
            typer.echo(one_line(name))
        return
    console, machine = Console(stderr=True), Path(MACHINE_FOLDER).absolute()
    for sentence in shared_run.pull(shared, machine, run, code=gate.is_trusting()):
        console.print(Text(f"note: {one_line(sentence)}"), highlight=False, soft_wrap=True)
    message = f"{run} is here: harness report {run}"
    console.print(Text(one_line(message)), highlight=False, soft_wrap=True)


def _url(option: str | None) -> str:
    """The store that is meant: that of the option, that of this folder, that of ./harness.yaml.

    Raises:
        UsageError: there is none.
    """
    from harness.kit import gate, own
    from harness.run import objects

    if option is not None:
        return _valid(option, "--store")
    of_folder = objects.of(Path(MACHINE_FOLDER))
    if of_folder is not None:
        return of_folder.url
    if Path(FILE_NAME).is_file():
        execution = yaml_file.read(Path(FILE_NAME))[0].get("execution")
        own.put_to_use(Path(FILE_NAME))
        if isinstance(execution, dict) and isinstance(execution.get("store"), str):
            url = _valid(execution["store"], f"{FILE_NAME}: execution.store")
            return gate.reach(url, by="harness pull")
    raise UsageError(
        "this folder belongs to no store", hint="harness pull RUN --store s3://bucket/prefix"
    )


def _valid(url: str, where: str) -> str:
    from harness.config.settings import store_url

    try:
        return str(store_url(url))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
