"""The commands below ``harness config``, as the command line takes them."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.terminal.options import ConfigFile, Rounds, Sets

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.command("show")
def config_show(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    origin: Annotated[bool, typer.Option("--origin", help="say where each value is from")] = False,
) -> None:
    """Print the whole configuration with every default."""
    from harness.cli.inspect import config_show as work

    work(config, rounds, sets or [], origin)
