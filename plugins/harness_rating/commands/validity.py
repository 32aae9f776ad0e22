"""``harness rate validity``: which automatic metric agrees with raters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

import harness
from harness.kit.blocks import Table, table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness.kit.text import one_line
from harness_rating.commands.agreement import show_unrated
from harness_rating.commands.options import BatchName, answers, write_json
from harness_rating.ratings.folder import RatingsFolder

METRIC = 40
FIGURES = ("accuracy [95 %]", "n")

Document = Mapping[str, Any]


def validity(name: BatchName = None, as_json: Json = False) -> None:
    """Which automatic metric orders answers as raters do."""
    from harness_rating.outcomes.validity import validity_of

    folder = RatingsFolder()
    batch = answers(name, folder)
    values = harness.open_run(batch.run).all_values()
    document = validity_of(
        batch, folder.all_ratings(batch), values.scores, lower_is_better=values.lower_is_better
    )
    if as_json:
        write_json(document)
    elif not document["rated"]:
        show_unrated(batch)
    else:
        _show(document, Console())


def _show(document: Document, console: Console) -> None:
    counts = f"{document['rated']:,} rated items in {document['groups']:,} groups"
    tables.head(console, f"{document['batch']} ({counts})")
    for title, rows in _tables(document):
        console.print()
        draw_rows(_figures(title, rows), console)
    console.print()
    for sentence in document["sentences"]:
        tables.note(console, sentence)


def _tables(document: Document) -> Iterator[tuple[str, Sequence[tuple[str, Document]]]]:
    """Titles, and of each metric its name and figures; nothing where there is no pair at all."""
    for key, title in (("answers", "any two answers"), ("differences", "same prompt")):
        figures_of = [
            (metric["metric"], metric[key])
            for metric in document["metrics"]
            if metric[key] is not None
        ]
        if any(figures["n"] for _, figures in figures_of):
            yield title, figures_of


def _figures(title: str, rows: Sequence[tuple[str, Document]]) -> Table:
    cells = (
        (one_line(metric, METRIC), tables.percent(figures["accuracy"]), f"{figures['n']:,}")
        for metric, figures in rows
    )
    return table([title, *FIGURES], cells, right=FIGURES, caption=title)
