"""Say whether live rows differ from those that a run was judged on."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.kit.terminal.options import Json, takes

LOOKS = 12
PERMUTATIONS = 9_999

app = typer.Typer()


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


@app.command()
@takes(Request)
def drift(request: Request) -> int:
    """Say whether live rows differ from those that a run was judged on.

    Exit code 1 where they do; 0 where there is no evidence, or too few rows. Nothing is trained.
    """
    from rich.console import Console

    from harness.kit.terminal.streams import plugins_on_stderr
    from harness.kit.terminal.targets import check_target, write_target
    from harness_drift.choosing import as_lines
    from harness_drift.looking import DRIFTED, look
    from harness_drift.showing import show

    if request.rows is not None:
        check_target("--rows", request.rows)
    with plugins_on_stderr():
        document, chosen = look(request)
    if request.rows is not None:
        write_target("--rows", request.rows, as_lines(chosen))
    if request.as_json:
        sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
    else:
        show(document, Console())
    return 1 if document["verdict"] == DRIFTED else 0
