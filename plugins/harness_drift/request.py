"""What ``harness drift`` is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.kit.terminal.options import Json

LOOKS = 12
PERMUTATIONS = 9_999


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    live: Annotated[
        Path, typer.Argument(metavar="LIVE", help="live rows: JSON lines, CSV or Parquet")
    ]
    run: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="[RUN]", help="name of a run (default: the latest)"),
    ] = None
    reference: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="compare with these rows, not with dev of the run"),
    ] = None
    looks: Annotated[
        int, typer.Option(min=1, max=1000, help="looks that share one chance of .05")
    ] = LOOKS
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FIELD", help="rows of one user or chat (default: `group`)"),
    ] = None
    rows: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--rows", "-o", metavar="FILE", help="write 50 rows to label there"),
    ] = None
    as_json: Json = False
