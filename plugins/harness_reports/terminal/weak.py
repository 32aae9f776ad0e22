"""Where the model is weak, and what the rounds fixed and broke."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.kit import numbers
from harness.kit.numbers import interval, number
from harness.kit.text import one_line
from harness_reports import drawing, figures, findings
from harness_reports.figures import Document
from harness_reports.terminal.pieces import Column, columns, heading, indented, is_wide, more, text

CELLS = {
    "fixed": ("▓", "green"),
    "broken": ("░", "red"),
    "always right": ("█", "cyan"),
    "never right": ("·", "dim"),
    "flickering": ("▒", "yellow"),
}
OTHER = ("?", "")


def render(document: Document, console: Console) -> None:
    _slices(document, console)
    _changes(document, console)


def _slices(document: Document, console: Console) -> None:
    at, held, others = findings.weak(document)
    if not held and not others:
        return
    digits = figures.score_digits(document, document["primary"])
    gap = f"gap: {figures.score_title(document, document['primary'], 60)} below all other rows"
    heading(console, "Weak places", f"round {at} · {gap}")
    shown = held[: findings.SHOWN]
    if shown:
        indented(console, _forest(document, at, shown, is_wide(console)))
    else:
        indented(console, Text("none that holds: no slice is weak by more than chance"))
    names = [
        f"{findings.slice_name(piece, 60)} ({number(piece['gap'], digits)})"
        for piece in others[: findings.SHOWN]
    ]
    if len(held) > len(shown):
        more(console, f"and {len(held) - len(shown)} more that hold, with smaller gaps")
    if names:
        rest = len(others) - len(names)
        tail = f" and {rest} more" if rest else ""
        more(console, f"perhaps, but no more than chance would show: {', '.join(names)}{tail}")


def _forest(document: Document, at: int, shown: list[Document], wide: bool) -> object:
    digits = figures.score_digits(document, document["primary"])
    axis = figures.gap_axis(shown)
    kinds = [findings.slice_kinds(document, at, piece["slice"]) for piece in shown]
    common_kinds: list[Column] = [("commonest errors", "left")] if wide and any(kinds) else []
    table = columns(
        ("slice", "left"), ("rows", "right"), ("gap", "right"), ("95 % interval", "left"),
        ("", "left"), *common_kinds,
        gives_way=(0, 5),
    )  # fmt: skip
    for piece, common in zip(shown, kinds, strict=True):
        name = Text(findings.slice_name(piece, 80))
        if common and not common_kinds:
            name.append(f"\n  {common}", "dim")
        cells = [
            name,
            Text(number(piece["n"], 0)),
            Text(number(piece["gap"], digits), style="bold"),
            Text(interval(piece["low"], piece["high"], digits)),
            Text(_span(piece, axis, 24 if wide else 14), style="red"),
            text(common, 200, "dim"),
        ]
        table.add_row(*cells[: len(table.columns)])
    return table


def _span(piece: Document, axis: tuple[float, float], width: int) -> str:
    return drawing.forest(piece["gap"], (piece["low"], piece["high"]), axis, width)


def _changes(document: Document, console: Console) -> None:
    ledger, rows = findings.ledger(document), findings.changes(document)
    remark = findings.rightness(document)
    if not ledger and not rows:
        if document.get("tables") and document.get("right_at") is None:
            heading(console, "Fixed and broken")
            more(console, remark)
        return
    heading(console, "Fixed and broken", f"dev rows over all rounds · {remark}")
    if ledger:
        _ledger(ledger, console)
    if rows:
        indented(console, _by_round(document, rows, is_wide(console)))


def _ledger(ledger: list[tuple[str, int]], console: Console) -> None:
    """One bar of all dev rows, and what its parts are."""
    width = min(console.width - 4, 96)
    cells = drawing.shares([n for _, n in ledger], width)
    line, legend = Text(), [Text()]
    for (kind, n), size in zip(ledger, cells, strict=True):
        mark, style = CELLS.get(kind, OTHER)
        line.append(mark * size, style)
        entry = Text.assemble((f"{mark} ", style), f"{one_line(kind, 24)} ", (str(n), "bold"))
        if legend[-1] and legend[-1].cell_len + entry.cell_len + 2 > console.width - 2:
            legend.append(Text())
        legend[-1].append("  " if legend[-1] else "").append_text(entry)
    indented(console, Text("\n").join([line, *legend]))


def _by_round(document: Document, rows: list[Document], wide: bool) -> object:
    wanted = {entry["round"] for entry in figures.shown_rounds(document, findings.SHOWN + 1)}
    shown = [row for row in rows if row["round"] in wanted]
    size = 24 if wide else 12
    top = max(max(row["fixed"], row["broken"]) for row in shown) if shown else 0
    table = columns(
        ("round", "left"), ("against", "left"), ("right", "right"), ("broken", "right"),
        ("", "left"), ("fixed", "right"),
    )  # fmt: skip
    for row in shown:
        left, right = (-(-row[side] * size // top) if top else 0 for side in ("broken", "fixed"))
        bar = Text(" " * (size - left)).append("█" * left, "red").append("│", "dim")
        bar.append("█" * right + " " * (size - right), "green")
        table.add_row(
            Text(figures.round_name(row, document)),
            Text(numbers.DASH if row["against"] is None else f"{row['against']}"),
            Text(f"{row['right']} of {row['judged']}"),
            Text(f"{row['broken']}", "red" if row["broken"] else "dim"),
            bar,
            Text(f"{row['fixed']}", "green" if row["fixed"] else "dim"),
        )
    return table
