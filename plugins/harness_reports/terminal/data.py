"""What was added to the training data, what was refused, and how training went."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.kit.numbers import interval, number, signed
from harness_reports import drawing, figures, findings
from harness_reports.figures import Document
from harness_reports.terminal.pieces import (
    columns,
    grid,
    heading,
    indented,
    is_wide,
    more,
    text,
)


def render(document: Document, console: Console) -> None:
    _near(document, console)
    _added(document, console)
    _control(document, console)
    _training(document, console)


def _near(document: Document, console: Console) -> None:
    pairs = findings.near_pairs(document)
    if not pairs:
        return
    heading(console, "Training rows near dev or test", "the nearest pairs")
    shown = grid()
    for one in pairs:
        shown.add_row(Text(one.similarity, style="bold"), text(f"{one.row}: {one.text}", 240))
        shown.add_row(Text(""), text(f"{one.held_out}: {one.held_out_text}", 240, "dim"))
    indented(console, shown)


def _added(document: Document, console: Console) -> None:
    grown = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
    if not grown:
        return
    heading(console, "Training data added")
    told = grid()
    for entry in grown[-findings.SHOWN :]:
        by = figures.counted(entry["added_by"])
        refused = figures.counted(entry["refused"])
        total = sum(entry["refused"].values())
        plan = ", ".join(figures.planned(entry["plan"]))
        told.add_row(
            Text(f"after {entry['round']}", style="dim"),
            Text.assemble(
                (f"+{entry['added']} rows", "bold"),
                f" ({by})" if by else "",
                (f" · {total} refused: {refused}" if total else " · none refused", "dim"),
                f"\n{plan}" if plan else "",
            ),
        )
    indented(console, told)
    if earlier := grown[: -findings.SHOWN]:
        rows = sum(entry["added"] for entry in earlier)
        more(console, f"and {rows} rows after earlier rounds")


def _control(document: Document, console: Console) -> None:
    control = document.get("control")
    if control:
        bounds = interval(control["low"], control["high"], plus=True)
        compared = control["difference"] is not None
        remark = "same number of rows in both arms" if compared else "not compared"
        heading(console, "Targeted or random rows", remark)
        if compared:
            line = f"targeted minus random: {signed(control['difference'])} {bounds}"
            indented(console, Text(line, style="bold"))
        indented(console, text(control["sentence"], 600))


def _training(document: Document, console: Console) -> None:
    logged = [entry for entry in document["rounds"] if entry["log"]]
    if not logged:
        return
    heading(console, "Training loss", "first to last step, then on the validation rows")
    table = columns(("round", "left"), ("loss", "left"), ("", "left"), ("validation", "left"))
    for entry in logged[-findings.SHOWN :]:
        training, validation = figures.losses(entry)
        table.add_row(
            Text(figures.round_name(entry, document)),
            Text(_span(training)),
            Text(drawing.sparkline(training, 40 if is_wide(console) else 24), style="blue"),
            Text(_span(validation)),
        )
    indented(console, table)


def _span(values: list[float]) -> str:
    if len(values) < 2:
        return number(values[0], 2) if values else ""
    return f"{values[0]:.2f} → {values[-1]:.2f}"
