"""What people said: how far they are, scores, preferences, agreement, errors, metrics."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.kit.text import one_line
from harness_reports import findings, people
from harness_reports.figures import DASH, Document, number
from harness_reports.terminal.pieces import (
    Column,
    columns,
    grid,
    heading,
    indented,
    is_wide,
    label,
    more,
    text,
)

MOST = 12
"""Rows of a table."""


def render(document: Document, console: Console) -> None:
    """Nothing where nobody has rated."""
    found = people.batches(document)
    if not found:
        return
    heading(console, people.TITLE, people.extent(document))
    _batches(found, console)
    _scores(document, console)
    _compared(document, console)
    _agreement(document, console)
    _raters(document, console)
    _named(document, console)
    _metrics(document, console)


def _batches(found: list[Document], console: Console) -> None:
    shown = columns(
        ("", "right"), ("rubric", "left"), ("rounds", "left"), ("sample", "left"),
        ("rated", "right"), ("raters", "left"),
        gives_way=(1, 2, 5),
    )  # fmt: skip
    for row in found[:MOST]:
        shown.add_row(
            Text(str(row["number"]), "dim"),
            text(people.rubric(row), 80),
            text(people.rounds(row), 60),
            text(people.sample(row), 40),
            Text(f"{row['rated']} of {row['items']}"),
            text(", ".join(row["raters"]), 120),
        )
    indented(console, shown)
    _rest(console, found, "batches")
    for mark, meaning in people.purposes(found):
        more(console, f"{mark} {meaning}")


def _rest(console: Console, rows: Sequence[object], what: str) -> None:
    if len(rows) > MOST:
        more(console, f"and {len(rows) - MOST} more {what}")


def _part(console: Console, title: str) -> None:
    console.print()
    indented(console, Text(title, "italic"))


def _which(document: Document, *heads: Column, gives_way: tuple[int, ...] = (0,)) -> Table:
    """A table whose rows begin with the batch's number where there are several."""
    if not people.several(document):
        return columns(*heads, gives_way=gives_way)
    moved = tuple(place + 1 for place in gives_way)
    return columns(("batch", "right"), *heads, gives_way=moved)


def _batch(document: Document, row: Document) -> list[Text]:
    return [Text(people.number_of(document, row), "dim")] if people.several(document) else []


def _scores(document: Document, console: Console) -> None:
    rounds, found, clash = people.scores(document, 5 if is_wide(console) else 3)
    if not found:
        return
    _part(console, "Scores by round, 0 to 1, with 95 % intervals")
    named = people.several_rubrics(found)
    heads: list[Column] = [(f"round {at}", "left") for at in rounds]
    table = columns(("criterion", "left"), *heads)
    for one in found[:MOST]:
        title = text(f"{one.rubric}: {one.title}" if named else one.title, 80)
        table.add_row(title, *(Text(people.value(one.by_round.get(at))) for at in rounds))
    indented(console, table)
    _rest(console, found, "criteria")
    if clash:
        more(console, people.CLASH)


def _compared(document: Document, console: Console) -> None:
    found = people.compared(document)
    if not found:
        return
    _part(console, "Later round against earlier: how often it is better")
    table = _which(
        document, ("criterion", "left"), ("rounds", "left"), ("win-tie-loss", "right"),
        ("win rate", "left"), ("", "left"),
    )  # fmt: skip
    for row in found[:MOST]:
        table.add_row(
            *_batch(document, row),
            text(row["title"], 60),
            Text(f"{row['round']} : {row['against']}"),
            Text(f"{row['wins']}-{row['ties']}-{row['losses']}"),
            Text(people.span(row, "win_rate")),
            label(row["label"]),
        )
    indented(console, table)
    _rest(console, found, "comparisons")
    if people.many(document):
        more(console, people.MANY)


def _agreement(document: Document, console: Console) -> None:
    found = people.agreement(document)
    if not found:
        return
    _part(console, "Agreement of raters")
    wide = is_wide(console)
    words: list[Column] = [("in words", "left")] if wide else []
    table = _which(
        document, ("criterion", "left"), ("rated twice", "right"), ("alpha", "left"),
        ("kappa", "right"), ("equal", "right"), *words, gives_way=(0, 5),
    )  # fmt: skip
    for row in found[:MOST]:
        cells = [
            *_batch(document, row),
            text(row["title"], 60),
            Text(number(row["n"], 0)),
            Text(people.span(row, "alpha")),
            Text(number(row["kappa"], 2)),
            Text(DASH if row["raw"] is None else f"{100 * row['raw']:.0f} %"),
            text(people.reading(row), 200, "dim"),
        ]
        table.add_row(*cells[: len(table.columns)])
    indented(console, table)
    _rest(console, found, "criteria")
    if not wide:
        told = [(one_line(row["title"], 60), people.undefined(row)) for row in found[:MOST]]
        for title, why in dict.fromkeys(one for one in told if one[1]):
            more(console, f"{title}: {why}")
    more(console, people.ALPHA)


def _raters(document: Document, console: Console) -> None:
    found = people.raters(document)
    if not found:
        return
    _part(console, "Raters")
    table = _which(
        document, ("rater", "left"), ("done", "right"), ("an item", "right"),
        ("severity", "left"), ("in", "left"), ("same again", "left"),
        gives_way=(0, 4),
    )  # fmt: skip
    for row in found[:MOST]:
        table.add_row(
            *_batch(document, row),
            text(row["rater"], 40),
            Text(number(row["done"], 0)),
            Text(people.seconds(row)),
            Text(people.span(row, "severity", plus=True)),
            text(row["title"], 40, "dim"),
            Text(people.steadiness(row)),
        )
    indented(console, table)
    _rest(console, found, "raters")
    more(console, f"severity: {people.SEVERITY}; same again: of hidden repeats")


def _named(document: Document, console: Console) -> None:
    rounds, kinds, rated = people.named(document, 6 if is_wide(console) else 4)
    if not kinds:
        return
    _part(console, "Errors that people named, in answers")
    heads: list[Column] = [(f"round {at}", "right") for at in rounds]
    table = columns(("kind", "left"), *heads)
    for kind in kinds[:MOST]:
        counts = [kind.by_round.get(at, 0) for at in rounds]
        table.add_row(text(kind.name, 60), *(Text(str(n), "" if n else "dim") for n in counts))
    table.add_row(Text("of so many rated", "dim"), *(Text(str(rated[at]), "dim") for at in rounds))
    indented(console, table)
    _rest(console, kinds, "kinds")
    more(console, people.BY_BATCH)


def _metrics(document: Document, console: Console) -> None:
    found = people.metrics(document)
    if not found:
        return
    _part(console, "Which metric can be believed")
    told = grid()
    for sentence in found[: findings.SHOWN + 3]:
        told.add_row(Text("·"), text(sentence, 400))
    indented(console, told)
