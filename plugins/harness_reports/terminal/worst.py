"""Some of the worst answers, with the words in which they differ from their references."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.kit.numbers import number
from harness.kit.text import one_line
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.terminal.pieces import grid, heading, indented, text

MISSING = ("bold green", "[-", "-]")
EXTRA = ("bold red", "{+", "+}")


def render(document: Document, console: Console, most: int) -> None:
    rows = findings.examples(document, most)
    if not rows:
        return
    plain = console.color_system is None or console.no_color
    marks = " · [-missing-] {+extra+}" if plain else ""
    heading(console, "Among the worst answers", f"dev, round {document['kept_round']}{marks}")
    for place, row in enumerate(rows):
        if place:
            console.print()
        indented(console, _title(row, figures.score_title(document, document["primary"], 40)))
        expected, given = figures.sides(row["reference"], row["answer"])
        told = grid()
        room = 2 * max(console.width - 14, 40)
        told.add_row(Text("prompt", "dim"), text(row["prompt"], room - 8, "dim"))
        told.add_row(Text("expected", "dim"), _words(expected, MISSING, plain))
        told.add_row(Text("answer", "dim"), _words(given, EXTRA, plain))
        if cause := row.get("cause"):
            why = f"{one_line(cause['cause'], 40)}: {one_line(cause['evidence'], 300)}"
            told.add_row(Text("cause", "dim"), text(why.rstrip(": "), 360))
        indented(console, told)


def _title(row: Document, score: str) -> Text:
    line = Text.assemble((one_line(row["id"], 60), "bold"))
    line.append(f"  {score} {number(row['score'], 2)}", "dim")
    line.append("".join(f"  [{one_line(kind, 40)}]" for kind in row["errors"][:3]), "yellow")
    line.append(f"  {one_line(row['course'], 30)}" if row.get("course") else "", "dim")
    return line.append(f"  {one_line(row['place'], 80)}" if row["place"] else "", "dim")


def _words(runs: figures.Runs, marks: tuple[str, str, str], plain: bool) -> Text:
    """A text whose differing words are coloured, or marked where there is no colour."""
    if not runs:
        return Text("(empty)", style="italic dim")
    style, start, end = marks
    line = Text()
    for place, (words, differs) in enumerate(runs):
        line.append(" " if place else "")
        line.append(f"{start}{words}{end}" if differs and plain else words, style * differs)
    return line
