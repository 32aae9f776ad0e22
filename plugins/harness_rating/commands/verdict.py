"""``harness rate verdict``: which round raters prefer, and how sure that is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

import harness
from harness import BASE_ARM
from harness.kit.blocks import Column, Table, table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness.kit.text import one_line
from harness_rating.commands.options import BatchName, answers, write_json
from harness_rating.ratings.folder import RatingsFolder

TITLE = 22
"""Characters of a criterion's title in a table."""
ARM = 12

Document = Mapping[str, Any]


def verdict(name: BatchName = None, as_json: Json = False) -> None:
    """Which round raters prefer, and how sure that is."""
    from harness_rating.outcomes.outcomes import outcomes_of

    folder = RatingsFolder()
    batch = answers(name, folder)
    level = harness.open_run(batch.run).level
    document = outcomes_of(batch, folder.all_ratings(batch), level=level)
    if as_json:
        write_json(document)
    else:
        _show(document, Console())


def _show(document: Document, console: Console) -> None:
    tables.head(console, f"{document['batch']} (rubric {document['rubric']}, of {document['run']})")
    compared, scored = document["comparisons"], document["scores"]
    figures = None
    if compared:
        figures = comparisons_table(compared, console.width)
    elif any(score["n"] for score in scored):
        figures = scores_table(scored)
    if figures is not None:
        draw_rows(figures, console)
        console.print()
    if document["position"] and document["position"]["n"]:
        tables.note(console, _position(document["position"]))
    # A criterion's line in the table is enough; its sentence is in the document.
    in_table = {row["sentence"] for row in compared if row["criterion"]}
    for sentence in document["sentences"]:
        if sentence not in in_table:
            tables.note(console, sentence)
    if figures is None:
        tables.next_command(console, shlex.join(["harness", "rate", "status", document["batch"]]))


def comparisons_table(comparisons: Sequence[Document], width: int) -> Table:
    """Each two rounds; a judge's comparisons have no label."""
    wide = width >= tables.WIDE and any(comparison["difference"] for comparison in comparisons)
    labelled = any("label" in comparison for comparison in comparisons)
    numbers = ["won/tied/lost", "win rate [95 %]"]
    if wide:
        numbers.append("difference [95 %]")
    rows = []
    for comparison in comparisons:
        rounds = f"{comparison['round']} vs {comparison['against']}{_arm(comparison)}"
        cells = [
            f"{comparison['wins']:,}/{comparison['ties']:,}/{comparison['losses']:,}",
            tables.span(comparison["win_rate"], 2),
        ]
        if wide:
            cells.append(tables.span(comparison["difference"], 3, sign=True))
        if labelled:
            cells.append(comparison["label"])
        rows.append((_title(comparison), rounds, *cells))
    columns = [Column(""), Column("rounds", "word"), *(Column(name, "number") for name in numbers)]
    if labelled:
        columns.append(Column("", "label"))
    return Table(tuple(columns), tuple(rows), "rounds side by side")


def scores_table(scores: Sequence[Document]) -> Table:
    """The mean values of each round's answers."""
    numbers = ["score [95 %]", "answers", "groups", "unrated"]
    rows = (
        (_title(score), f"{score['round']}{_arm(score)}", tables.span(score, 3),
         *(f"{score[key]:,}" for key in ("n", "groups", "unrated")))
        for score in scores
    )  # fmt: skip
    return table(["", "round", *numbers], rows, right=["round", *numbers], caption="mean values")


def _title(row: Document) -> str:
    return one_line(row["title"], TITLE) or "(no title)"


def _arm(row: Document) -> str:
    return "" if row["arm"] == BASE_ARM else f" {one_line(row['arm'], ARM)}"


def _position(counts: Document) -> str:
    return (
        f"Of {counts['n']:,} choices {counts['a']:,} were for the answer shown first, "
        f"{counts['b']:,} for the second, {counts['tie']:,} for neither."
    )
