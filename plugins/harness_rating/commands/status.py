"""``harness rate status``: each rater's progress, and what comes next."""

from __future__ import annotations

import shlex

from rich.console import Console

import harness
from harness import to_json
from harness.kit.blocks import table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness_rating.batches.records import REVIEW, Batch
from harness_rating.commands.options import BatchName, of_each, write_json
from harness_rating.ratings import progress
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.progress import BatchStatus, RaterStatus


def status(name: BatchName = None, as_json: Json = False) -> None:
    """Show each rater's progress, in one batch or in all."""
    folder = RatingsFolder()
    batches = of_each(name, folder, lambda batch: (batch, progress.status(batch, folder)))
    if as_json:
        write_json([to_json(state) for _, state in batches])
        return
    console = Console()
    for _, state in batches:
        _show(console, state)
    if len(batches) == 1:
        tables.next_command(console, shlex.join(_next(*batches[0])))


def _next(batch: Batch, state: BatchStatus) -> list[str]:
    """Rate what is open; then let the run go on that waits for it, or look at the ratings."""
    if any(rater.done + rater.skipped < rater.assigned for rater in state.raters):
        return ["harness", "rate", "serve", batch.name]
    if batch.strategy == REVIEW and not batch.run:
        to = "train" if any(placing.live for placing in batch.placings.values()) else "rows"
        return ["harness", "rate", "export", batch.name, "--to", to, "-o", "reviewed.jsonl"]
    run = harness.open_run(batch.run)
    if run.waits or batch.strategy == REVIEW:
        return run.command()
    one_round = state.several and len(batch.rounds) == 1
    return ["harness", "rate", "agreement" if one_round else "verdict", batch.name]


def _show(console: Console, state: BatchStatus) -> None:
    of = f", of {state.run}" if state.run else ""
    tables.head(console, f"{state.batch}  ({state.strategy}{of}, {state.created})")
    counts = ("done", "of", "skipped", "flagged", "comments", "s/item")
    titles = ("rater", *counts, "last (UTC)")
    draw_rows(table(titles, map(_cells, state.raters), right=counts), console)
    reviews = state.strategy == REVIEW
    what, done = ("rows", "reviewed") if reviews else ("items", "rated")
    tables.note(
        console,
        f"{state.rated} of {state.items} {what} are {done}; {state.several} of "
        f"{state.planned_several} that several raters get are {done} by several.",
    )
    if not state.verdicts and not reviews:
        tables.note(console, "This sample gives no verdict: it is for finding errors.")
    for rater in state.raters:
        for item, comment in rater.comments.items():
            tables.note(console, f"{rater.rater} on {item}: {comment}")


def _cells(rater: RaterStatus) -> list[str]:
    seconds = "" if rater.seconds is None else f"{rater.seconds:.0f}"
    numbers = (rater.done, rater.assigned, rater.skipped, len(rater.flagged), len(rater.comments))
    return [rater.rater, *map(str, numbers), seconds, rater.last[:16].replace("T", " ")]
