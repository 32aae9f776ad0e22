"""``harness rate verdict``: which round raters prefer, and how sure that is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

import harness
from harness import BASE_ARM
from harness.kit.blocks import Column, Table, table
from harness.kit.text import one_line
from harness.terminal import tables
from harness.terminal.blocks import draw_rows
from harness.terminal.options import Json
from harness_rating.commands.options import BatchName, answers, write_json
from harness_rating.ratings.folder import RatingsFolder

TITLE = 22
"""Characters of a criterion's title in a table."""
ARM = 12

Document = Mapping[str, Any]


def verdict(batch: BatchName = None, as_json: Json = False) -> None:
    """Which round raters prefer, and how sure that is."""
    from harness_rating.outcomes.outcomes import outcomes_of

    folder = RatingsFolder()
    found = answers(batch, folder)
    level = harness.open_run(found.run).level
    document = outcomes_of(found, folder.all_ratings(found), level=level)
    if as_json:
        write_json(document)
    else:
        _show(document, Console())


def _show(found: Document, console: Console) -> None:
    tables.head(console, f"{found['batch']} (rubric {found['rubric']}, of {found['run']})")
    compared, scored = found["comparisons"], found["scores"]
    shown = comparisons_table(compared, console.width) if compared else None
    if any(one["n"] for one in scored) and shown is None:
        shown = scores_table(scored)
    if shown is not None:
        draw_rows(shown, console)
        console.print()
    if found["position"] and found["position"]["n"]:
        tables.note(console, _position(found["position"]))
    # A criterion's line in the table is enough; its sentence is in the document.
    beside = {one["sentence"] for one in found["comparisons"] if one["criterion"]}
    for sentence in found["sentences"]:
        if sentence not in beside:
            tables.note(console, sentence)
    if shown is None:
        tables.next_command(console, shlex.join(["harness", "rate", "status", found["batch"]]))


def comparisons_table(comparisons: Sequence[Document], width: int) -> Table:
    """Each two rounds; a judge's comparisons have no label."""
    wide = width >= tables.WIDE and any(one["difference"] for one in comparisons)
    numbers = ["won/tied/lost", "win rate [95 %]", "difference [95 %]"][: 3 if wide else 2]
    labelled = any("label" in one for one in comparisons)
    rows = []
    for one in comparisons:
        won = f"{one['wins']:,}/{one['ties']:,}/{one['losses']:,}"
        cells = [won, tables.span(one["win_rate"], 2)]
        if wide:
            cells.append(tables.span(one["difference"], 3, sign=True))
        if labelled:
            cells.append(one["label"])
        rows.append((_title(one), f"{one['round']} vs {one['against']}{_arm(one)}", *cells))
    columns = (
        Column(""), Column("rounds", "word"), *(Column(title, "number") for title in numbers),
        *([Column("", "label")] if labelled else []),
    )  # fmt: skip
    return Table(columns, tuple(rows), "rounds side by side")


def scores_table(scores: Sequence[Document]) -> Table:
    """The mean values of each round's answers."""
    numbers = ["score [95 %]", "answers", "groups", "unrated"]
    rows = (
        (_title(one), f"{one['round']}{_arm(one)}", tables.span(one, 3),
         *(f"{one[key]:,}" for key in ("n", "groups", "unrated")))
        for one in scores
    )  # fmt: skip
    return table(["", "round", *numbers], rows, right=["round", *numbers], caption="mean values")


def _title(one: Document) -> str:
    return one_line(one["title"], TITLE) or "(no title)"


def _arm(one: Document) -> str:
    return "" if one["arm"] == BASE_ARM else f" {one_line(one['arm'], ARM)}"


def _position(found: Document) -> str:
    return (
        f"Of {found['n']:,} choices {found['a']:,} were for the answer shown first, "
        f"{found['b']:,} for the second, {found['tie']:,} for neither."
    )
