"""Answers to rows of the data in a terminal: below each other, or with differing words marked.

So are passages, each a text by itself.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.kit.blocks import Answers, Passage, Sample, plain_pieces
from harness.kit.numbers import number
from harness.kit.text import lines, one_line, plain
from harness.kit.worddiff import Runs, sides

LIMIT = 600
"""Characters of an answer."""
LINES = 8
"""Lines of an answer that has line breaks of its own, such as code."""
MISSING = ("bold green", "[-", "-]")
EXTRA = ("bold red", "{+", "+}")
"""Style of words that the other text lacks, and marks for where there is no colour."""
PASSAGE = 4_000
"""Characters of a text that stands by itself."""
WITHIN = {"missing": ("red strike", "[-", "-]"), "extra": ("green", "{+", "+}")}
"""The same within one text."""
_LEADS = 8
"""Width of the words beside answers that are compared: ``expected``."""


def drawn_answers(block: Answers, console: Console) -> list[Text | Grid]:
    """The samples that a short report shows, one below the other, each in a few lines."""
    shown = block.samples[: block.short]
    colourless = _colourless(console)
    if block.reference != "marked":
        return [part for sample in shown for part in (_title(block, sample), _below(block, sample))]
    parts: list[Text | Grid] = []
    if colourless:
        parts.append(Text("[-missing-] {+extra+}", "dim"))
    for place, sample in enumerate(shown):
        if place:
            parts.append(Text())
        parts += [_title(block, sample), _compared(sample, console.width, colourless)]
    return parts


def _colourless(console: Console) -> bool:
    return console.color_system is None or console.no_color


def passage_title(block: Passage) -> Text:
    line = Text(one_line(block.title, 200), "bold")
    return line.append(f"  {one_line(block.remark, 600)}" if block.remark else "", "dim")


def passage_text(block: Passage, console: Console) -> Text:
    """Its lines, the first of many; words are marked by colour, or by signs where there is none."""
    shown, colourless = Text(), _colourless(console)
    for kind, text in plain_pieces(block, PASSAGE):
        words = text.rstrip()
        style, start, end = WITHIN.get(kind, ("dim" if kind == "rest" else "", "", ""))
        line = f"{start}{words}{end}" if colourless and words else words
        shown.append(line, style).append(text[len(words) :])
    shown.rstrip()
    return shown if shown else Text("(empty)", style="italic dim")


def _title(block: Answers, sample: Sample) -> Text:
    marked = block.reference == "marked"
    line = Text.assemble((one_line(sample.id, 60 if marked else 200), "bold"))
    if marked:
        line.append(f"  {block.score} {number(sample.answers[-1].score, 2)}", "dim")
        line.append("".join(f"  [{one_line(tag, 40)}]" for tag in sample.tags[:3]), "yellow")
        line.append(f"  {one_line(sample.remark, 30)}" if sample.remark else "", "dim")
        line.append(f"  {one_line(sample.place, 80)}" if sample.place else "", "dim")
    return line


def _below(block: Answers, sample: Sample) -> Grid:
    """The answers by their scores; those that are the same stand once."""
    rows = dict.fromkeys((number(answer.score, 2), answer.text) for answer in sample.answers)
    texts = [*rows, *([("wanted", sample.reference)] if block.reference == "shown" else [])]
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, justify="right", width=len("wanted"))
    grid.add_column(overflow="fold")
    for lead, text in texts:
        shown = lines(text, LIMIT, LINES)
        grid.add_row(
            Text(lead, "dim"), Text(shown) if shown else Text("(empty)", style="italic dim")
        )
    return grid


def _compared(sample: Sample, width: int, colourless: bool) -> Grid:
    wanted, said = sides(plain(sample.reference, LIMIT), plain(sample.answers[-1].text, LIMIT))
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=_LEADS)
    grid.add_column(overflow="fold")
    prompt = one_line(sample.prompt, 2 * max(width - 14, 40) - 8)
    grid.add_row(Text("prompt", "dim"), Text(prompt, "dim"))
    grid.add_row(Text("expected", "dim"), _marked(wanted, MISSING, colourless))
    grid.add_row(Text("answer", "dim"), _marked(said, EXTRA, colourless))
    for note in sample.notes:
        grid.add_row(Text(one_line(note.lead, 20), "dim"), Text(one_line(note.text, 360)))
    return grid


def _marked(runs: Runs, marks: tuple[str, str, str], colourless: bool) -> Text:
    """A text whose differing words are coloured, or marked where there is no colour."""
    if not runs:
        return Text("(empty)", style="italic dim")
    style, start, end = marks
    line = Text()
    for text, differs in runs:
        words = text.rstrip()
        space = text[len(words) :]
        if differs and colourless and words:
            line.append(f"{start}{words}{end}{space}")
        else:
            line.append(words, style if differs else "").append(space)
    return line
