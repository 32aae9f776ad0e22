"""List the failing answers on dev, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console

import harness
from harness.kit import terms
from harness.kit.blocks import Column, Table
from harness.kit.shown_calls import readable_pair
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json, RunName
from harness.kit.text import one_line
from harness_inspection.commands.printing import why_command, write_json
from harness_inspection.lineage import EMPTY, table_of_rows

if TYPE_CHECKING:
    from harness_inspection.wrong_answers import Filters, NamedRow, WrongAnswer, WrongAnswers

app = typer.Typer()

MOST = 20
"""Answers in the table unless ``--limit`` says otherwise; ``--json`` gives all."""
MOST_KINDS = 12


@app.command()
def errors(
    run: RunName = None,
    round_: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option("--round", metavar="K", help="answers of this round (default: the best)"),
    ] = None,
    category: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--category", metavar="C", help="answers of this error category"),
    ] = None,
    slice_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--slice", metavar="S", help="answers of this slice, as the report names it"),
    ] = None,
    cause: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--cause", metavar="C", help="of this cause, with the training rows it names"),
    ] = None,
    broken_by: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--broken-by", metavar="K", help="passed before round K, failed after it"),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--limit", min=1, metavar="N", help="answers shown (default: 20; with --json all)"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the failing answers on dev, the worst first."""
    from harness_inspection.database import RunDatabase
    from harness_inspection.wrong_answers import Filters, errors as listed

    most = limit if limit is not None or as_json else MOST
    with RunDatabase.opened(harness.current_reports(run)) as database:
        document = listed(database, Filters(category, slice_, cause, broken_by), round_, most)
    if as_json:
        write_json(document)
        return
    _show(document, Console(), run)


def _show(document: WrongAnswers, console: Console, run: str | None) -> None:
    if document.rows:
        draw_rows(_table(document), console)
        console.print()
    if document.train_rows:
        _show_table_of_rows(document, console)
    for line in _sentences(document):
        tables.note(console, line)
    if document.rows:
        tables.next_command(console, why_command(document.rows[0].id, run))


def _caveat(document: WrongAnswers) -> str:
    """What stands next to the primary score, wherever it is shown."""
    return document.caveats.get(document.primary, "")


def _table(document: WrongAnswers) -> Table:
    score = document.primary + (" *" if _caveat(document) else "")
    columns = (
        Column("id", "id"), Column(score, "number"), Column("categories"),
        Column("answer / reference", "line"),
    )  # fmt: skip
    rows = tuple(
        (
            row.id,
            tables.value(row.score),
            (_categories(row), terms.shown("cause", row.cause or "")),
            (answer or EMPTY, reference or EMPTY),
        )
        for row in document.rows
        for reference, answer in [readable_pair(row.reference, row.answer)]
    )
    return Table(columns, rows, "failing answers")


def _categories(row: WrongAnswer) -> str:
    """The answer's categories; one that passes all the same says so."""
    right = ("pass, but " if row.categories else "pass") if row.right else ""
    shown = [terms.shown("category", name) for name in row.categories]
    return right + tables.listed(shown)


def _show_table_of_rows(document: WrongAnswers, console: Console) -> None:
    cause = terms.shown("cause", document.filters.cause or "")
    tables.note(console, f"training rows that '{cause}' names", "bold")
    rows = [replace(row, place=_where(row)) for row in document.train_rows]
    draw_rows(table_of_rows(rows, "answers", [str(row.answers) for row in rows]), console)
    console.print()


def _where(row: NamedRow) -> str:
    """Where a row stands; one that was made stands where that one does that it was made from."""
    place = row.place or ""
    return f"{place} (made from it by {row.made_by})".strip() if row.made_by else place


def _sentences(document: WrongAnswers) -> list[str]:
    chosen = _chosen(document.filters)
    best = " (best round)" if document.round == document.kept_round else ""
    place = f"{document.answers:,} answers of round {document.round}{best}"
    lines = [f"{document.matching:,} of {place} {_property(document, chosen)}{_shown(document)}."]
    if document.categories:
        lines.append(f"categories: {_counts(document.categories, 'category')}")
    if document.causes:
        lines.append(f"causes: {_counts(document.causes, 'cause')}")
    if document.definition:
        name = chosen.get("category") or chosen.get("cause")
        lines.append(f"{name}: {document.definition}.")
    remedies = dict.fromkeys(row.remedy for row in document.rows if row.remedy)
    if "cause" in chosen and remedies:
        lines.append(f"suggested action: {'; '.join(list(remedies)[:3])}.")
    if document.wrong is None:
        lines.append(
            f"'{document.primary}' has no pass threshold (set its right_at), so all are "
            "counted, the lowest first."
        )
    if _caveat(document):
        lines.append(f"* {document.primary}: {_caveat(document)}")
    return lines


def _chosen(filters: Filters) -> dict[str, Any]:
    """What was asked for, in the words that readers know."""
    shown = {
        "category": filters.category and terms.shown("category", filters.category),
        "slice": filters.slice,
        "cause": filters.cause and terms.shown("cause", filters.cause),
        "broken_by": filters.broken_by,
    }
    return {key: value for key, value in shown.items() if value is not None}


def _counts(counts: Mapping[str, int], kind: terms.Kind) -> str:
    shown = [
        f"{one_line(terms.shown(kind, name), 60)} {count:,}"
        for name, count in list(counts.items())[:MOST_KINDS]
    ]
    more = f", {len(counts) - MOST_KINDS} more" if len(counts) > MOST_KINDS else ""
    return ", ".join(shown) + more


def _property(document: WrongAnswers, chosen: Mapping[str, Any]) -> str:
    parts = [] if "category" in chosen or document.wrong is None else ["fail"]
    words = {
        "category": "are in '{}'",
        "slice": "belong to '{}'",
        "cause": "have the cause '{}'",
        "broken_by": "regressed in round {}",
    }
    parts += [words[key].format(value) for key, value in chosen.items()]
    return " and ".join(parts) or "can be shown"


def _shown(document: WrongAnswers) -> str:
    shown = len(document.rows)
    return f"; the worst {shown:,} are shown" if 0 < shown < document.matching else ""
