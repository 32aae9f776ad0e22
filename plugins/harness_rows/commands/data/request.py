"""What the commands below ``harness data`` take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

import typer

from harness.kit.terminal.options import ConfigFile, Json, Sets
from harness_rows.commands.row_options import RowOptions


@dataclass(frozen=True, kw_only=True)
class Request(RowOptions):
    """Options that all of them have."""

    data: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar="[FILE|FOLDER|HUB-ID]", help="rows (default: the data of the config)"
        ),
    ] = None
    config: ConfigFile = None
    sets: Sets = None
    as_json: Json = False
