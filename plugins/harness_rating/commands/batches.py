"""``harness rate``: batches made, looked at, filled from files, and handed on."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.text import Text

import harness
from harness import Cancelled, DataError, Rubric, UsageError, to_json
from harness.terminal import tables
from harness.terminal.streams import plugins_on_stderr
from harness.terminal.targets import check_target, write_target
from harness_rating.batches import storage
from harness_rating.batches.order import Order
from harness_rating.batches.records import FOLDER, Batch
from harness_rating.batches.sampling import Candidate
from harness_rating.commands.options import Creation
from harness_rating.ratings.progress import expectation
from harness_rating.rubric.scoring import find, load

if TYPE_CHECKING:
    from harness import RunView


T = TypeVar("T")


def create(wanted: Creation) -> Batch:
    """Make a batch of a run's stored answers, or find the one that the same command made."""
    rubric = load(find(wanted.rubric))
    before = storage.names()
    with plugins_on_stderr():
        run = harness.open_run(wanted.run)
        round_ = _latest_round(run, wanted.split) if wanted.round is None else wanted.round
        order = _order(wanted, rubric, run.name, round_)
        batch = storage.create(order, _candidates(run, order))
    document = _created(batch, run.level)
    if wanted.as_json:
        _write_json(document)
    else:
        _show_created(batch, document, found=batch.name in before)
    return batch


def _order(wanted: Creation, rubric: Rubric, run: str, round_: int) -> Order:
    """The order; raises UsageError for what cannot be meant."""
    raters = tuple(name.strip() for name in wanted.raters.split(",") if name.strip())
    made = Order(
        rubric, run, round_, raters, wanted.versus, wanted.split, wanted.n, wanted.strategy,
        wanted.by, wanted.overlap, wanted.several, wanted.repeats, wanted.seed,
    )  # fmt: skip
    made.check()
    return made


def _latest_round(run: RunView, split: str) -> int:
    """The last round that has answers; of those that are closed, where a model is needed."""
    return run.answered[-1] if split != "pool" else run.closed[-1]


def _candidates(run: RunView, order: Order) -> list[Candidate]:
    from harness_rating.batches.candidates import candidates

    if order.split != "pool":
        return candidates(run, order.rounds, order.split, order.strategy)
    console = Console(stderr=True)
    try:
        with run.locked():
            return _of_the_pool(run, order, console)
    except KeyboardInterrupt:
        note = "stopped; no batch was made, and what was answered before is kept"
        console.print(note, highlight=False)
        raise Cancelled from None


def _of_the_pool(run: RunView, order: Order, console: Console) -> list[Candidate]:
    from harness.terminal.progress import Display, weight_of_pool
    from harness_rating.batches import pool as reserve

    pool = reserve.models(run, order)
    rows = reserve.drawn(run, pool, order)
    if pool.trained:
        note = f"note: {pool.trained} rows of the pool were trained on and are left out."
        console.print(Text(note), highlight=False)
    with Display(console, run.name, weight_of_pool(len(order.rounds))) as display:
        return reserve.answered(pool, rows, display)


def _created(batch: Batch, level: float) -> dict[str, Any]:
    return {
        "batch": batch.name, "run": batch.run, "strategy": batch.strategy,
        "verdicts": batch.verdicts, "folder": str(FOLDER / batch.name),
        "items": sum(one.repeat_of is None for one in batch.placings.values()),
        "assigned": {rater: len(items) for rater, items in batch.assignments.items()},
        "expectation": expectation(batch, level),
    }  # fmt: skip


def _show_created(batch: Batch, document: Mapping[str, Any], *, found: bool) -> None:
    console = Console()
    what = "is there already" if found else "is made"
    tables.note(console, f"Batch {batch.name} {what}: {document['items']} items of {batch.run}.")
    for rater, count in document["assigned"].items():
        tables.item(console, f"{rater}: {count} items")
    for sentence in document["expectation"]:
        tables.note(console, sentence)
    tables.next_command(console, shlex.join(["harness", "rate", "serve", batch.name]))


def of_each(name: str | None, read: Callable[[str], T]) -> list[T]:
    """What ``read`` finds of the named batch, or of each that is whole.

    Of several, a damaged batch is told on standard error and harms no other.

    Raises:
        UsageError: there is no batch.
        HarnessError: the named batch, or the only one, is damaged.
    """
    names = storage.names() if name is None else [name]
    if not names:
        raise UsageError("there is no batch in this folder yet", hint="harness rate create")
    if len(names) == 1:
        return [read(names[0])]
    found = []
    for one in names:
        try:
            found.append(read(one))
        except DataError as error:
            told = f"warning: batch {one} is left out: {error.what} ({error.where})"
            Console(stderr=True).print(Text(told), highlight=False, soft_wrap=True)
    return found


def import_(path: Path, name: str | None, as_json: bool, *, all_raters: bool = False) -> None:
    """Keep the ratings of a file from a packed page, or of a sheet."""
    from harness_rating.exchange.importing import import_file

    found = import_file(path, batch=name, all_raters=all_raters)
    if as_json:
        _write_json(to_json(found))
        return
    console = Console()
    for rater, count in found.new.items():
        known = f", {found.known[rater]} were known" if found.known[rater] else ""
        tables.note(console, f"{found.batch}: {count} new events of {rater}{known}.")
    if not found.new:
        tables.note(console, f"{found.batch}: nothing new.")
    tables.next_command(console, shlex.join(["harness", "rate", "status", found.batch]))


def export(name: str | None, to: str, target: Path | None, rater: str | None = None) -> None:
    """Hand the ratings on, or a sheet to fill in, to a file or standard output."""
    from harness_rating.exchange.exporting import exported
    from harness_rating.exchange.other_tools import labelling_config

    batch = chosen(name)
    data = exported(batch, to, rater=rater)
    if to == "sheet" and data.count(b"\n") == 1:
        tables.note(Console(stderr=True), "Nothing is open: the sheet has no row.")
    if target is None:
        sys.stdout.write(data.decode())
        return
    check_target("-o", target)
    files: dict[Path, bytes] = {target: data}
    if to == "label-studio":
        config = target.with_suffix(".xml")
        files[config] = labelling_config(batch).encode()
        _check_beside(target, config, files[config])
    for path, content in files.items():
        write_target("-o", path, content)
        tables.note(Console(stderr=True), f"written: {path}")
    if to == "sheet":
        back = shlex.join(["harness", "rate", "import", str(target)])
        tables.next_command(Console(stderr=True), back)


def _check_beside(target: Path, config: Path, content: bytes) -> None:
    """The configuration goes beside the ratings; nothing of other people's is written over."""
    if target.suffix.casefold() == config.suffix:
        raise UsageError(
            f"-o {target}: the labelling configuration is written to {config}",
            hint=f"-o {target.with_suffix('.json')}",
        )
    if config.exists() and (config.is_dir() or config.read_bytes() != content):
        raise UsageError(
            f"-o {target}: the labelling configuration goes to {config}, where something else is",
            hint="move that away, or choose another name",
        )


def chosen(name: str | None) -> Batch:
    """The batch of that name, or the only one there is.

    Raises:
        UsageError: there is none, or several and no name.
    """
    names = storage.names()
    if name is None and len(names) != 1:
        if not names:
            raise UsageError("there is no batch in this folder yet", hint="harness rate create")
        raise UsageError("there are several batches; name one", hint=", ".join(names))
    return storage.load(FOLDER, name or names[0])


def _write_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
