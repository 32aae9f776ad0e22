"""``harness config``: the configuration as it is in force."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.kit.blocks import table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import ConfigFile, Rounds, Sets

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@app.callback()
def _below() -> None: ...


@app.command("show")
def show(
    config: ConfigFile = None,
    rounds: Rounds = None,
    sets: Sets = None,
    origin: Annotated[bool, typer.Option("--origin", help="say where each value is from")] = False,
) -> None:
    """Print the whole configuration with every default."""
    from harness.config import loading
    from harness.kit import yaml_file

    loaded = loading.load(config, sets=sets or [], flags={"rounds": rounds})
    if not origin:
        sys.stdout.write(yaml_file.dump(loaded.shown()))
        return
    rows = (
        (dotted, str(value), _origin(loaded.origins, dotted))
        for dotted, value in yaml_file.flattened(loaded.shown())
    )
    draw_rows(table(["key", "value", "from"], rows), Console())


def _origin(origins: Any, dotted: str) -> str:
    """Where a value is from; an override of a whole entry counts for its keys."""
    parts = dotted.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    if origins.get(dotted):
        return str(origins[dotted])
    above = next((origins[p] for p in prefixes if p in origins), "")
    return str(above) if above.startswith("--") else "default"
