"""``harness rate``: advice on a rubric, the page, and the packed page."""

from __future__ import annotations

import dataclasses
import secrets
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from harness import DataError, UsageError, near
from harness.kit.text import one_line
from harness.terminal import tables
from harness.terminal.targets import check_target, write_target
from harness_rating.batches.records import FOLDER, SETTLED, Batch
from harness_rating.commands.batches import chosen, of_each
from harness_rating.ratings import events
from harness_rating.rubric.scoring import find

if TYPE_CHECKING:
    from harness_rating.page.app import Options
    from harness_rating.page.tokens import Seat


def lint(rubric: str) -> None:
    """Advice on a rubric that is right, but could be better; a wrong one is an error."""
    from harness_rating.rubric.lint import lint as remarks

    path = find(rubric)
    found = remarks(path)
    for remark in found:
        Console().print(Text(one_line(remark.told(path))), highlight=False)
    if not found:
        Console().print(Text(f"{path}: fine"), highlight=False)


def serve(
    name: str | None, host: str, port: int, hosts: Sequence[str], *, https: bool = False
) -> None:
    """The page for every rater of one batch, or of all, until Ctrl-C."""
    from harness_rating.page.app import Options
    from harness_rating.page.tokens import seats

    def seated(one: str) -> tuple[Batch, Mapping[str, Seat]]:
        batch = chosen(one)
        return batch, seats(FOLDER, [batch])

    found = of_each(name, seated)
    if not found:
        raise DataError("no batch of this folder is whole, so there is nothing to serve")
    places = {token: seat for _, own in found for token, seat in own.items()}
    scheme = "https" if https else "http"
    options = Options(FOLDER, host, port, tuple(hosts), scheme)
    _run([batch for batch, _ in found], places, options, {})


def adjudicate(name: str | None, who: str, apart: float, host: str, port: int) -> None:
    """The same page for what raters disagree on; names are hidden, values are shown."""
    from harness_rating.page.app import Options
    from harness_rating.page.tokens import Seat
    from harness_rating.ratings.progress import disagreements

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
    from harness_rating.ratings.progress import status

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
    from harness_rating.page.app import app, links, listen, serve as run

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
    from harness_rating.page.pack import pack as packed

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
