"""What the commands below ``harness rate`` take, where several take it or one takes much."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.terminal.options import Json

BatchName = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Argument(metavar="[BATCH]", help="name of a batch (default: the only one)"),
]
Host = Annotated[str, typer.Option("--host", help="address to listen at")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="port to listen at")]


@dataclass(frozen=True, slots=True)
class Creation:
    """The command line of ``rate create``."""

    rubric: Annotated[str, typer.Option("--rubric", help="a file, or a ready one's name")]
    raters: Annotated[str, typer.Option("--raters", metavar="ANA,BO", help="who rates")]
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="whose answers (default: the latest run)"),
    ] = None
    round: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--round", min=0, help="which round (default: the latest)"),
    ] = None
    versus: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--vs", metavar="J", min=0, help="the round to compare it with, blindly"),
    ] = None
    split: Annotated[str, typer.Option("--from", help="dev, or pool: answered now")] = "dev"
    n: Annotated[int, typer.Option("-n", min=1, help="examples")] = 60
    strategy: Annotated[
        str,
        typer.Option("--strategy", help="random, stratified, worst, disagreement or changed"),
    ] = "random"
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", metavar="FIELD", help="strata of --strategy stratified"),
    ] = None
    overlap: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--overlap", help="share of examples that several rate (default: 0.3)"),
    ] = None
    several: Annotated[
        int, typer.Option("--several", min=2, help="raters of an example that several rate")
    ] = 2
    repeats: Annotated[
        float, typer.Option("--repeats", help="share of items that come a second time, hidden")
    ] = 0.05
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the draw")] = 0
    as_json: Json = False


@dataclass(frozen=True, slots=True)
class Judging:
    """The command line of ``rate judge``."""

    batch: BatchName = None
    judge: Annotated[str, typer.Option("--judge", metavar="NAME", help="which judge")] = "judge"
    sets: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="an option of the judge, as model=NAME"),
    ] = field(default_factory=list)
    plugins: Annotated[
        list[Path],
        typer.Option("--plugin", metavar="FILE", help="a one-file plugin with a judge"),
    ] = field(default_factory=list)
    as_json: Json = False
