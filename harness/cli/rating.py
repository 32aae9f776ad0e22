"""``harness rate``: the page, the packed page, and what raters' answers are worth."""

from __future__ import annotations

import dataclasses
import json
import secrets
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from harness.cli import tables
from harness.cli.rate import chosen
from harness.cli.targets import check_target, write_target
from harness.errors import UsageError, near
from harness.rating import events
from harness.rating.records import FOLDER, SETTLED, Batch
from harness.rating.rubric import find
from harness.text import one_line
from harness.watcher import Quiet

if TYPE_CHECKING:
    from harness.rating.web.app import Options
    from harness.rating.web.tokens import Seat


def lint(rubric: str) -> None:
    """Advice on a rubric that is right, but could be better; a wrong one is an error."""
    from harness.rating.rubric_lint import lint as remarks

    path = find(rubric)
    found = remarks(path)
    for remark in found:
        Console().print(Text(remark.told(path)), highlight=False)
    if not found:
        Console().print(Text(f"{path}: fine"), highlight=False)


def serve(
    name: str | None, host: str, port: int, hosts: Sequence[str], *, https: bool = False
) -> None:
    """The page for every rater of one batch, or of all, until Ctrl-C."""
    from harness.rating import batches
    from harness.rating.web.app import Options
    from harness.rating.web.tokens import seats

    names = [name] if name is not None else batches.names()
    if not names:
        raise UsageError("there is no batch in this folder yet", hint="harness rate create")
    found = [chosen(one) for one in names]
    scheme = "https" if https else "http"
    _run(found, seats(FOLDER, found), Options(FOLDER, host, port, tuple(hosts), scheme), {})


def adjudicate(name: str | None, who: str, apart: float, host: str, port: int) -> None:
    """The same page for what raters disagree on; names are hidden, values are shown."""
    from harness.rating.status import disagreements
    from harness.rating.web.app import Options
    from harness.rating.web.tokens import Seat

    rater = f"{SETTLED}{who}"
    if not events.RATER.fullmatch(who) or not events.RATER.fullmatch(rater):
        rule = f"{events.RATER_RULE} with '{SETTLED}' before them"
        raise UsageError(f"--who: {who!r} cannot be a name", hint=f"use {rule}")
    batch = chosen(name)
    found = disagreements(batch, apart=apart)
    if not found:
        _show_nothing_to_settle(batch)
        return
    items = tuple(dict.fromkeys(one.item for one in found))
    said: dict[str, dict[str, Any]] = {}
    for one in found:
        said.setdefault(one.item, {})[one.criterion] = one.values
    shown = dataclasses.replace(batch, raters=(rater,), assignments={rater: items})
    seat = {secrets.token_urlsafe(32): Seat(batch.name, rater)}
    _run([shown], seat, Options(FOLDER, host, port), said)


def _show_nothing_to_settle(batch: Batch) -> None:
    from harness.rating.status import status

    several = status(batch).several
    said = f"of {several} items that several raters are done with, they disagree on none"
    if not several:
        said = "no item is done by several raters yet, so there is nothing to settle"
    tables.note(Console(), f"{batch.name}: {said}.")
    if not several:
        tables.next_command(Console(), shlex.join(["harness", "rate", "status", batch.name]))


def _run(
    found: Sequence[Batch], seats: Mapping[str, Seat], options: Options, said: Mapping[str, Any]
) -> None:
    from harness.rating.web.app import app, links, listen
    from harness.rating.web.app import serve as run

    application = app(found, seats, options, said)
    bound = listen(options)
    console = Console()
    console.print(Text("A link for each rater; whoever has it rates as that person."))
    for batch in found:
        tables.head(console, batch.name)
        for seat, link in links(seats, options):
            if seat.batch == batch.name:
                # On a line of its own it fits in 80 columns, and can be copied whole.
                line = Text.assemble((f"  {seat.rater}\n", "bold"), f"    {link}")
                console.print(line, highlight=False, soft_wrap=True)
    console.print()
    try:
        tables.note(console, "Ctrl-C stops the page; nothing that was saved is lost.", "dim")
        run(application, bound)
    except KeyboardInterrupt:
        _show_stopped([batch.name for batch in found])
        raise


def _show_stopped(names: Sequence[str]) -> None:
    console = Console(stderr=True)
    tables.note(console, "The page is stopped. The same command opens it again.")
    only = names if len(names) == 1 else []
    tables.next_command(console, shlex.join(["harness", "rate", "status", *only]))


def pack(name: str | None, rater: str, target: Path) -> None:
    """One file that a rater opens from disk."""
    from harness.rating.web.pack import pack as packed

    batch = chosen(name)
    if rater not in batch.raters:
        raise UsageError(
            f"{batch.name} has no rater '{rater}'{near(rater, batch.raters)}",
            hint=f"there are: {', '.join(batch.raters)}",
        )
    check_target("-o", target)
    write_target("-o", target, packed(batch, rater))
    console = Console()
    tables.note(console, f"written: {target}. {rater} opens it, rates, and sends back the export.")
    tables.next_command(console, "harness rate import FILE")


def agreement(name: str | None, as_json: bool) -> None:
    """How far raters agree, how severe and how steady each is."""
    from harness.rating.quality import agreement_of

    batch = chosen(name)
    said = [events.Events(FOLDER / batch.name, rater).all() for rater in batch.raters]
    ratings = [rating for one in said for rating in events.fold(one).values()]
    seconds: dict[tuple[str, str], float] = {}
    for event in (event for one in said for event in one):
        if event.seconds is not None:
            place = event.rater, event.item
            seconds[place] = max(seconds.get(place, 0.0), event.seconds)
    _tell(agreement_of(batch, ratings, seconds=seconds), as_json)


def validity(name: str | None, as_json: bool) -> None:
    """Which automatic metric orders answers as people do."""
    from harness.rating.metric_values import metric_values
    from harness.rating.validity import validity_of
    from harness.replay import opened, replay

    batch = chosen(name)
    steps, history = replay(opened(batch.run, Quiet()))
    found = metric_values(steps.config.metrics, history)
    said = [*events.ratings(batch), *events.settled(batch)]
    _tell(validity_of(batch, said, found.scores, lower_is_better=found.lower_is_better), as_json)


def _tell(document: Mapping[str, Any], as_json: bool) -> None:
    """The document, or the sentences in it."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
        return
    console = Console()
    for sentence in document["sentences"]:
        console.print(Text(one_line(sentence, 600)), highlight=False)
