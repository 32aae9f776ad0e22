"""What is wrong with the answers, and why."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.kit.text import one_line
from harness_reports import drawing, figures, findings
from harness_reports.figures import Document
from harness_reports.findings import Kind
from harness_reports.terminal.pieces import (
    Column,
    columns,
    grid,
    heading,
    indented,
    is_wide,
    more,
    text,
)

BY_DATA = "new data can cure it"


def render(document: Document, console: Console) -> None:
    _kinds(document, console)
    _causes(document, console)


def _kinds(document: Document, console: Console) -> None:
    kinds, rest = findings.shown_kinds(document)
    if not kinds:
        return
    wide = is_wide(console)
    heading(console, "Errors on dev", "answers that show each kind, by round")
    indented(console, _by_round(document, kinds, wide))
    if rest:
        more(console, findings.left_out(rest))
    told = [kind for kind in kinds if kind.definition]
    if told and not wide:
        indented(console, _definitions(told))
    if document.get("not_looked_for"):
        more(console, document["not_looked_for"])


def _by_round(document: Document, kinds: list[Kind], wide: bool) -> Table:
    shown = figures.shown_rounds(document, 6 if wide else 4)
    at = document["kept_round"]
    definitions: list[Column] = [("", "left")] if wide else []
    table = columns(
        ("kind", "left"), *((figures.round_name(e, document), "right") for e in shown),
        (f"round {at}", "left"), *definitions,
        gives_way=(0, len(shown) + 2),
    )  # fmt: skip
    top = max(kind.by_round.get(entry["round"], 0) for entry in shown for kind in kinds)
    for kind in kinds:
        counts = [kind.by_round.get(entry["round"], 0) for entry in shown]
        style = "italic" if kind.name == findings.UNEXPLAINED else ""
        cells = [
            text(kind.name, 40, style),
            *(Text(str(n), style="" if n else "dim") for n in counts),
            Text(drawing.bar(kind.by_round.get(at, 0), top, 16), style="red"),
            text(kind.definition, 160, "dim"),
        ]
        table.add_row(*cells[: len(table.columns)])
    return table


def _definitions(kinds: list[Kind]) -> Table:
    told = grid()
    for kind in kinds:
        told.add_row(text(kind.name, 24, "dim"), text(kind.definition, 160, "dim"))
    return told


def _causes(document: Document, console: Console) -> None:
    causes = findings.causes(document)
    if not causes:
        return
    about = f"round {document['kept_round']} · {findings.explained(document)}"
    heading(console, "Likeliest causes", about)
    wide = is_wide(console)
    table = columns(
        ("cause", "left"), ("answers", "right"), ("", "left"), ("", "left"), gives_way=(3,)
    )
    top = causes[0].answers
    for cause in causes[: findings.SHOWN]:
        table.add_row(
            text(cause.name, 24, "bold"),
            Text(str(cause.answers)),
            Text(drawing.bar(cause.answers, top, 16 if wide else 8), style="red"),
            _told(cause),
        )
    indented(console, table)
    if len(causes) > findings.SHOWN:
        n = sum(cause.answers for cause in causes[findings.SHOWN :])
        more(console, f"and {n} answers with rarer causes")


def _told(cause: findings.Cause) -> Text:
    """What it means, what to do, and where to look."""
    lines = [text(cause.definition, 200)] if cause.definition else []
    if cause.remedy:
        lines.append(text(f"→ {cause.remedy}", 200, "bold"))
    if cause.by_data:
        lines.append(Text(f"● {BY_DATA}", "green"))
    if cause.ids:
        ids = ", ".join(one_line(name, 40) for name in cause.ids[:3])
        lines.append(text(f"such as {ids}", 140, "dim"))
    return Text("\n").join(lines)
