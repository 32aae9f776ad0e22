"""``harness plugins`` and the commands below it, as the command line takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.terminal.options import Json

app = typer.Typer(
    help="List, check and write plugins.",
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode=None,
)


@app.callback()
def plugins(context: typer.Context, as_json: Json = False) -> None:
    """List the installed plugins by stage, and those that could not be loaded."""
    if context.invoked_subcommand is None:
        from harness.cli.inspect import plugins as work

        work(as_json)


@app.command("check")
def plugins_check(
    target: Annotated[str, typer.Argument(metavar="NAME|FILE", help="a plugin, or a file of them")],
    options: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="an option of the plugin"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a plugin against the rules of its stage, one line for each."""
    from harness.cli.plugins import check as work

    raise typer.Exit(work(target, options or [], as_json))


@app.command("new")
def plugins_new(
    kind: Annotated[str, typer.Argument(metavar="metric", help="what to write")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="lower case, with dashes")],
    folder: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--folder", help="where to write it (default: ./NAME)"),
    ] = None,
) -> None:
    """Write a small package with a metric that works and a test that passes."""
    from harness.cli.plugins import new as work

    raise typer.Exit(work(kind, name, folder))
