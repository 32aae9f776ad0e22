"""What the run has to remark, what this report lacks, and what to do next."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.kit.text import one_line
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.terminal.errors import BY_DATA
from harness_reports.terminal.pieces import grid, heading, indented, more, out, text

NOTES = 10


def render(document: Document, console: Console) -> None:
    _notes(document, console)
    _failed(document, console)
    _time(document, console)
    _remedies(document, console)
    _next(document, console)


def _notes(document: Document, console: Console) -> None:
    notes = document["notes"]
    if not notes:
        return
    heading(console, "Notes")
    told = grid()
    for note in notes[:NOTES]:
        told.add_row(Text("·"), text(note, 600))
    indented(console, told)
    if len(notes) > NOTES:
        more(console, f"and {len(notes) - NOTES} more")


def _failed(document: Document, console: Console) -> None:
    failed = findings.failed(document)
    if not failed:
        return
    heading(console, "Not in this report", "these parts of the analysis failed")
    told = grid()
    for what, why in failed:
        told.add_row(Text("✗", "red"), Text(f"{what}: {why}"))
    indented(console, told)


def _time(document: Document, console: Console) -> None:
    seconds = document["seconds"]
    if not seconds:
        return
    longest = sorted(seconds.items(), key=lambda item: -item[1])[:4]
    stages = ", ".join(f"{name} {figures.duration(took)}" for name, took in longest)
    cached = len(document["cached"])
    reused = f" · {cached} stages from the store" if cached else ""
    console.print()
    took = figures.duration(sum(seconds.values()))
    out(console, text(f"Time {took}: {stages}{reused}", 400, "dim"))


def _remedies(document: Document, console: Console) -> None:
    remedies = findings.remedies(document)
    if not remedies:
        return
    heading(console, "What to do", "by what it may be worth; no remedy cures all that it is for")
    told = grid()
    for place, remedy in enumerate(remedies[: findings.SHOWN], 1):
        worth = findings.worth(remedy)
        line = Text.assemble(
            (one_line(remedy["remedy"], 200), "bold"),
            f"  {worth}" if worth else "",
            (f"  ● {BY_DATA}" if remedy["by_data"] else "", "green"),
            (f"\n{one_line(remedy['why'], 240)}", "dim"),
        )
        told.add_row(Text(f"{place}.", "dim"), line)
    indented(console, told)
    if len(remedies) > findings.SHOWN:
        more(console, f"and {len(remedies) - findings.SHOWN} more, worth less")


def _next(document: Document, console: Console) -> None:
    command = one_line(document["next_command"], 2_000)
    if command:
        console.print()
        line = Text.assemble(("Next: ", "dim"), (command, "bold"))
        console.print(line, highlight=False, soft_wrap=True)
