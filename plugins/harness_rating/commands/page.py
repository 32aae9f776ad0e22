"""``harness rate``: the page, and the packed page."""

from __future__ import annotations

import dataclasses
import secrets
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from harness import DataError, UsageError
from harness.kit.terminal import tables
from harness.kit.terminal.options import AllowHosts, Host, Https, Port
from harness.kit.terminal.targets import check_target, write_target
from harness_rating.batches.records import SETTLED, Batch
from harness_rating.commands.options import BatchName, chosen, of_each
from harness_rating.ratings import progress
from harness_rating.ratings.events import RATER, RATER_RULE
from harness_rating.ratings.folder import RatingsFolder

if TYPE_CHECKING:
    from harness.kit.serving.address import Address
    from harness_rating.page.tokens import Seat


def serve(
    name: BatchName = None,
    host: Host = "127.0.0.1",
    port: Port = 8642,
    hosts: AllowHosts = None,
    https: Https = False,
) -> None:
    """Serve the rating page and print a link for each rater."""
    from harness.kit.serving.address import Address
    from harness_rating.page.tokens import seats

    folder = RatingsFolder()
    opened = of_each(name, folder, lambda batch: (batch, seats(folder.path, [batch])))
    if not opened:
        raise DataError("no batch of this folder is whole, so there is nothing to serve")
    batches = [batch for batch, _ in opened]
    seat_of = {token: seat for _, of_batch in opened for token, seat in of_batch.items()}
    address = Address(port, host, tuple(hosts or ()), "https" if https else "http")
    _run(folder.path, batches, seat_of, address, {})


def adjudicate(
    who: Annotated[str, typer.Option("--who", help="who settles")],
    name: BatchName = None,
    apart: Annotated[
        float, typer.Option("--apart", min=0, max=1, help="share of the scale that counts as apart")
    ] = progress.APART,
    host: Host = "127.0.0.1",
    port: Port = 8643,
) -> None:
    """Serve what raters disagree on, names hidden, to be settled."""
    from harness.kit.serving.address import Address
    from harness_rating.page.tokens import Seat

    rater = f"{SETTLED}{who}"
    if not RATER.fullmatch(who) or not RATER.fullmatch(rater):
        rule = f"{RATER_RULE} with '{SETTLED}' before them"
        raise UsageError(f"--who: {who!r} cannot be a name", hint=f"use {rule}")
    folder = RatingsFolder()
    batch = chosen(name, folder)
    disagreements = progress.disagreements(batch, folder, apart=apart)
    if not disagreements:
        _show_nothing_to_settle(progress.status(batch, folder))
        return
    values: dict[str, dict[str, Any]] = {}
    for disagreement in disagreements:
        values.setdefault(disagreement.item, {})[disagreement.criterion] = disagreement.values
    # The batch as it is for who settles: the items that raters disagree on, and no others.
    disputed = dataclasses.replace(batch, raters=(rater,), assignments={rater: tuple(values)})
    seat_of = {secrets.token_urlsafe(32): Seat(batch.name, rater)}
    _run(folder.path, [disputed], seat_of, Address(port, host), values)


def _show_nothing_to_settle(state: progress.BatchStatus) -> None:
    if state.several:
        what = f"of {state.several} items that several raters are done with, they disagree on none"
    else:
        what = "no item is done by several raters yet, so there is nothing to settle"
    tables.note(Console(), f"{state.batch}: {what}.")
    if not state.several:
        tables.next_command(Console(), shlex.join(["harness", "rate", "status", state.batch]))


def _run(
    folder: Path,
    batches: Sequence[Batch],
    seats: Mapping[str, Seat],
    address: Address,
    values: Mapping[str, Any],
) -> None:
    from harness.kit.serving.address import listen
    from harness.kit.serving.server import serve as run
    from harness_rating.page.app import rating_server

    server = rating_server(folder, batches, seats, address, values)
    bound = listen(address)
    console = Console()
    console.print(Text("A link for each rater; whoever has it rates as that person."))
    for batch in batches:
        tables.head(console, batch.name)
        for token, seat in seats.items():
            if seat.batch == batch.name:
                # On a line of its own it fits in 80 columns, and can be copied whole.
                line = Text.assemble((f"  {seat.rater}\n", "bold"), f"    {address.link(token)}")
                console.print(line, highlight=False, soft_wrap=True)
    console.print()
    try:
        tables.note(console, "Ctrl-C stops the page; nothing that was saved is lost.", "dim")
        run(server, bound)
    except KeyboardInterrupt:
        console = Console(stderr=True)
        tables.note(console, "The page is stopped. The same command opens it again.")
        name = [batches[0].name] if len(batches) == 1 else []
        tables.next_command(console, shlex.join(["harness", "rate", "status", *name]))
        raise


def pack(
    rater: Annotated[str, typer.Option("--rater", help="for whom")],
    target: Annotated[Path, typer.Option("-o", metavar="FILE", help="where to write it")],
    name: BatchName = None,
) -> None:
    """Write the rating page as one file that works from disk."""
    from harness_rating.page.pages import pack as packed

    batch = chosen(name, RatingsFolder())
    data = packed(batch, rater)
    check_target("-o", target)
    write_target("-o", target, data)
    console = Console()
    tables.note(console, f"written: {target}. {rater} opens it, rates, and sends back the export.")
    tables.next_command(console, "harness rate import FILE")
