"""All commands. Each command's work is imported when it is called, so that help is fast.

What a command takes stands in the module of its group (``score_app``), its work in one beside it
(``score``).
"""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import (
    config_app,
    iterate_app,
    look_app,
    plugins_app,
    score_app,
)
from harness.cli.rate import app as rate_app

app = typer.Typer(
    name="harness",
    help="Fine-tune a language model in rounds, and be told the truth about each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# The order is that of the help. Apps without a name give their commands to this one.
app.add_typer(iterate_app.app)
app.add_typer(look_app.app)
app.add_typer(score_app.app)
app.add_typer(plugins_app.app, name="plugins")
app.add_typer(rate_app.app, name="rate")
app.add_typer(config_app.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        from harness import __version__

        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[
        bool, typer.Option("--debug", help="show tracebacks (may stand anywhere)")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options of all commands; ``--debug`` was taken out by :func:`harness.cli.main` before."""
