"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option("--config", "-c", help="config file (default: ./harness.yaml, else shipped)"),
]
Sets = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="KEY=VALUE", help="override one key, as train.epochs=3"),
]
Rounds = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--rounds", min=1, help="rounds of training"),
]
Json = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
RunName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(metavar="[RUN]", help="name of a run (default: the latest)"),
]
