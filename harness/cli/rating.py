"""``harness rate``: the page, the packed page, and what raters' answers are worth."""

from __future__ import annotations

import dataclasses
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from harness.cli import tables
from harness.cli.iterate import Quiet
from harness.cli.rate import chosen
from harness.errors import UsageError, near
from harness.files import write_bytes
from harness.rating import events
from harness.rating.records import FOLDER, SETTLED, Batch
from harness.rating.rubric import find
from harness.text import one_line

if TYPE_CHECKING:
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


def serve(name: str | None, host: str, port: int, hosts: Sequence[str]) -> None:
    """The page for every rater of one batch, or of all, until Ctrl-C."""
    from harness.rating import batches
    from harness.rating.web.tokens import seats

    names = [name] if name is not None else batches.names()
    if not names:
        raise UsageError("there is no batch in this folder yet", hint="harness rate create")
    found = [chosen(one) for one in names]
    _run(found, seats(FOLDER, found), host, port, hosts, {})


def adjudicate(name: str | None, who: str, apart: float, host: str, port: int) -> None:
    """The same page for what raters disagree on; names are hidden, values are shown."""
    from harness.rating.status import disagreements
    from harness.rating.web.tokens import Seat

    batch = chosen(name)
    found = disagreements(batch, apart=apart)
    if not found:
        tables.note(Console(), f"{batch.name}: raters disagree on nothing.")
        return
    items = tuple(dict.fromkeys(one.item for one in found))
    said: dict[str, dict[str, Any]] = {}
    for one in found:
        said.setdefault(one.item, {})[one.criterion] = one.values
    rater = f"{SETTLED}{who}"
    shown = dataclasses.replace(batch, raters=(rater,), assignments={rater: items})
    seat = {secrets.token_urlsafe(32): Seat(batch.name, rater)}
    _run([shown], seat, host, port, (), said)


def _run(
    found: Sequence[Batch], seats: Mapping[str, Seat], host: str, port: int,
    hosts: Sequence[str], said: Mapping[str, Any],
) -> None:  # fmt: skip
    from harness.rating.web.app import Options, app, links, listen
    from harness.rating.web.app import serve as run

    options = Options(FOLDER, host, port, tuple(hosts))
    application = app(found, seats, options, said)
    bound = listen(options)
    console = Console()
    console.print(Text("A link for each rater; whoever has it rates as that person:"))
    for seat, link in links(seats, options):
        line = Text.assemble((f"  {seat.rater:12} ", "bold"), link, (f"  {seat.batch}", "dim"))
        console.print(line, highlight=False, soft_wrap=True)
    console.print(Text("Ctrl-C stops the page; nothing that was saved is lost.", "dim"))
    run(application, bound)


def pack(name: str | None, rater: str, target: Path) -> None:
    """One file that a rater opens from disk."""
    from harness.rating.web.pack import pack as packed

    batch = chosen(name)
    if rater not in batch.raters:
        raise UsageError(
            f"{batch.name} has no rater '{rater}'{near(rater, batch.raters)}",
            hint=f"there are: {', '.join(batch.raters)}",
        )
    if target.is_dir() or not target.parent.is_dir():
        what = "this is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise UsageError(f"-o {target}: {what}")
    write_bytes(target, packed(batch, rater))
    console = Console()
    tables.note(console, f"written: {target}. {rater} opens it, rates, and sends back the export.")
    tables.next_command(console, "harness rate import FILE")


def agreement(name: str | None, as_json: bool) -> None:
    """How far raters agree, how severe and how steady each is."""
    from harness.rating.quality import agreement_of

    batch = chosen(name)
    seconds: dict[tuple[str, str], float] = {}
    for rater in batch.raters:
        for event in events.Events(FOLDER / batch.name, rater).all():
            if event.seconds is not None:
                place = rater, event.item
                seconds[place] = max(seconds.get(place, 0.0), event.seconds)
    _tell(agreement_of(batch, events.ratings(batch), seconds=seconds), as_json)


def validity(name: str | None, as_json: bool) -> None:
    """Which automatic metric orders answers as people do."""
    from harness.rating.validity import validity_of
    from harness.replay import opened, replay

    batch = chosen(name)
    _, history = replay(opened(batch.run, Quiet()))
    scores: dict[str, dict[tuple[str, int, str], float | None]] = {}
    lower = set()
    for (arm, number), found in history.evaluations.items():
        lower |= {n for n, score in found.scores.items() if not score.higher_is_better}
        for row in found.scored:
            for metric, value in row.values.items():
                scores.setdefault(metric, {})[arm, number, row.example.id] = value
    said = [*events.ratings(batch), *events.settled(batch)]
    _tell(validity_of(batch, said, scores, lower_is_better=lower), as_json)


def _tell(document: Mapping[str, Any], as_json: bool) -> None:
    """The document, or the sentences in it."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
        return
    console = Console()
    for sentence in document["sentences"]:
        console.print(Text(one_line(sentence, 600)), highlight=False)
