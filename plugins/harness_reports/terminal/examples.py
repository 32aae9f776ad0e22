"""Some of the worst answers, with the words in which they differ from their references."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.numbers import number
from harness.kit.text import one_line
from harness.terminal.blocks import out
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.sections import Examples

MISSING = ("bold green", "[-", "-]")
EXTRA = ("bold red", "{+", "+}")


def draw_examples(block: Examples, console: Console, most: int) -> None:
    plain = console.color_system is None or console.no_color
    if plain:
        out(console, Text("[-missing-] {+extra+}", "dim"))
    for place, row in enumerate(findings.examples(block.rows, block.kept_round, most)):
        if place:
            console.print()
        out(console, _title(row, block.score))
        expected, given = figures.sides(row["reference"], row["answer"])
        told = Grid.grid(padding=(0, 2, 0, 0))
        told.add_column(no_wrap=True)
        told.add_column(overflow="fold")
        prompt = one_line(row["prompt"], 2 * max(console.width - 14, 40) - 8)
        told.add_row(Text("prompt", "dim"), Text(prompt, "dim"))
        told.add_row(Text("expected", "dim"), _words(expected, MISSING, plain))
        told.add_row(Text("answer", "dim"), _words(given, EXTRA, plain))
        if cause := row["cause"]:
            why = f"{one_line(cause['cause'], 40)}: {one_line(cause['evidence'], 300)}"
            told.add_row(Text("cause", "dim"), Text(why.rstrip(": ")))
        out(console, told)


def _title(row: Document, score: str) -> Text:
    line = Text.assemble((one_line(row["id"], 60), "bold"))
    line.append(f"  {score} {number(row['score'], 2)}", "dim")
    line.append("".join(f"  [{one_line(kind, 40)}]" for kind in row["errors"][:3]), "yellow")
    line.append(f"  {one_line(row['course'], 30)}" if row["course"] else "", "dim")
    return line.append(f"  {one_line(row['place'], 80)}" if row["place"] else "", "dim")


def _words(runs: figures.Runs, marks: tuple[str, str, str], plain: bool) -> Text:
    """A text whose differing words are coloured, or marked where there is no colour."""
    if not runs:
        return Text("(empty)", style="italic dim")
    style, start, end = marks
    line = Text()
    for place, (words, differs) in enumerate(runs):
        space = words[: len(words) - len(words.lstrip())]
        told = words.lstrip()
        line.append(space if space or not place else " ")
        line.append(f"{start}{told}{end}" if differs and plain else told, style * differs)
    return line
