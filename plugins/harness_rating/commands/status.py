"""``harness rate status``: how far each rater is, and what comes next."""

from __future__ import annotations

import json
import shlex
import sys

from rich.console import Console

import harness
from harness import to_json
from harness.terminal import tables
from harness_rating.batches import storage
from harness_rating.batches.records import FOLDER, Batch
from harness_rating.commands.batches import of_each
from harness_rating.ratings.progress import BatchStatus, RaterStatus, status as status_of


def status(name: str | None, as_json: bool) -> None:
    """How far one batch is, or all; of all, a damaged one is named and left out."""
    found = of_each(name, _read)
    if as_json:
        sys.stdout.write(json.dumps([to_json(one) for _, one in found], indent=1) + "\n")
        return
    console = Console()
    for _, one in found:
        _show_status(console, one)
    if len(found) == 1:
        tables.next_command(console, shlex.join(_next(*found[0])))


def _read(name: str) -> tuple[Batch, BatchStatus]:
    batch = storage.load(FOLDER, name)
    return batch, status_of(batch)


def _next(batch: Batch, one: BatchStatus) -> list[str]:
    """Rate what is open; then let the run go on that waits for it, or look at what was said."""
    if any(rater.done + rater.skipped < rater.assigned for rater in one.raters):
        return ["harness", "rate", "serve", batch.name]
    run = harness.open_run(batch.run)
    if run.waits:
        return run.command()
    rounds = {number for placing in batch.placings.values() for number in placing.rounds}
    alone = one.several and len(rounds) == 1
    return ["harness", "rate", "agreement" if alone else "verdict", batch.name]


def _show_status(console: Console, one: BatchStatus) -> None:
    tables.head(console, f"{one.batch}  ({one.strategy}, of {one.run}, {one.created})")
    shown = tables.table(
        "rater", "done", "of", "skipped", "flagged", "comments", "s/item", "last (UTC)",
        right=("done", "of", "skipped", "flagged", "comments", "s/item"),
    )  # fmt: skip
    for rater in one.raters:
        shown.add_row(*map(tables.name, _cells(rater)))
    console.print(shown)
    tables.note(
        console,
        f"{one.rated} of {one.items} items are rated; {one.several} of {one.planned_several} that "
        "several raters get are rated by several.",
    )
    if not one.verdicts:
        tables.note(console, "This sample gives no verdict: it is for finding errors.")
    for rater in one.raters:
        for item, comment in rater.comments.items():
            tables.note(console, f"{rater.rater} on {item}: {comment}")


def _cells(rater: RaterStatus) -> list[str]:
    seconds = "" if rater.seconds is None else f"{rater.seconds:.0f}"
    numbers = (rater.done, rater.assigned, rater.skipped, len(rater.flagged), len(rater.comments))
    last = rater.last[:16].replace("T", " ")
    return [rater.rater, *map(str, numbers), seconds, last]
