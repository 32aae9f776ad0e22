"""``harness score``, as the command line takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from harness.terminal.options import Json, Sets

app = typer.Typer(rich_markup_mode=None)


@app.command()
def score(
    predictions: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--predictions",
            "-p",
            metavar="FILE[:COLUMN]",
            help="answers; repeat for several systems; - is standard input",
        ),
    ] = None,
    references: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--references",
            "-r",
            metavar="FILE[:COLUMN]",
            help="good answers; repeat for several for each example",
        ),
    ] = None,
    baseline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--baseline",
            "-b",
            metavar="FILE[:COLUMN]",
            help="answers of the system to compare with",
        ),
    ] = None,
    metrics: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--metrics",
            "-m",
            metavar="NAMES",
            help="parted by commas; NAME=METRIC names one (default: bleu,chrf,rouge,meteor)",
        ),
    ] = None,
    options: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--option",
            "-o",
            metavar="METRIC.KEY=VALUE",
            help="an option of a metric, as rouge.stemmer=true",
        ),
    ] = None,
    plugin: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--plugin", metavar="FILE", help="a one-file plugin to load"),
    ] = None,
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="take the references (and metrics) of this config"),
    ] = None,
    sets: Sets = None,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="score the stored answers of a run again"),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="with --config or --run: which rows")
    ] = "dev",
    open_test: Annotated[
        bool, typer.Option("--open-test", help="look at the sealed test set; the look is counted")
    ] = False,
    by: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--by", metavar="FIELD", help="scores for each value of a field of the references"
        ),
    ] = None,
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--group",
            metavar="FIELD",
            help="rows with the same value belong together (default: field 'group')",
        ),
    ] = None,
    per_example: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--per-example", metavar="FILE", help="write each answer's scores (.jsonl or .parquet)"
        ),
    ] = None,
    test: Annotated[
        str, typer.Option("--test", help="where p comes from: auto, bootstrap or randomisation")
    ] = "auto",
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--seed", min=0, help="of the resampling (default: 7)"),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--workers", min=1, help="most processes (default: one for each core)"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score answers against references, alone or against a baseline."""
    from harness.cli.request import Request
    from harness.cli.score import score as work

    request = Request(
        predictions or [], references or [], baseline, metrics, options or [], plugin or [],
        config, sets or [], run, split, open_test, by or [], group, per_example, test, seed,
        workers, as_json,
    )  # fmt: skip
    raise typer.Exit(work(request))
