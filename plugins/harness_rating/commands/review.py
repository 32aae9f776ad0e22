"""``harness rate review``: a batch of training rows that a file lists, or of live rows."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

import harness
from harness import UsageError
from harness.kit.numbers import counted
from harness.kit.terminal import tables
from harness.kit.terminal.options import ConfigFile, Json, Sets
from harness.kit.terminal.streams import plugins_on_stderr
from harness_rating.commands.options import write_json
from harness_rating.ratings.folder import RatingsFolder

SPLITS = ("train", "valid", "pool")
"""Splits whose rows may be learned from."""


def review(
    path: Annotated[
        Path, typer.Argument(metavar="ROWS", help="JSON lines with id, reason; or live rows")
    ],
    raters: Annotated[str, typer.Option("--raters", metavar="ANA,BO", help="who reviews")],
    config: ConfigFile = None,
    sets: Sets = None,
    overlap: Annotated[
        Optional[float],  # noqa: UP045 - typer reads it at run time
        typer.Option("--overlap", min=0, max=1, help="share that two see (default: 0.3)"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a batch of training rows that a file lists, such as suspect ones, or of live rows."""
    from harness_rating.review.batches import create
    from harness_rating.review.listed import is_live, read_listed, read_live_rows
    from harness_rating.review.people import reviewers

    names = tuple(name.strip() for name in raters.split(",") if name.strip())
    try:
        reviewers(names)
    except ValueError as error:
        raise UsageError(f"--raters: {error}", hint="--raters ana,bo") from None
    folder = RatingsFolder()
    if is_live(path):
        review_rows = read_live_rows(path)
    else:
        with plugins_on_stderr(), harness.open_plan(config, sets or (), fetch=False) as planned:
            rows = {row.id: row for split in SPLITS for row in planned.rows(split)}
        review_rows = read_listed(path, rows, f"the rows of {', '.join(SPLITS)}")
    batch = create(folder, review_rows, names, overlap=overlap)
    if as_json:
        assigned = {rater: len(items) for rater, items in batch.assignments.items()}
        write_json({"batch": batch.name, "rows": len(review_rows), "raters": assigned})
        return
    console = Console()
    tables.note(console, f"Batch {batch.name}: {counted(len(review_rows), 'row')}.")
    for rater, items in batch.assignments.items():
        tables.item(console, f"{rater}: {counted(len(items), 'row')}")
    tables.next_command(console, shlex.join(["harness", "rate", "serve", batch.name]))
