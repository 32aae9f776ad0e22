"""Blocks as Markdown: tables, no raw HTML, and nothing from data gets in but made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.kit.blocks import (
    DRAWN,
    Answers,
    Block,
    Bullets,
    Cell,
    Chart,
    Code,
    Column,
    Heading,
    Note,
    Paragraph,
    Passage,
    Sample,
    Table,
    mark_of,
    plain_pieces,
    table_of,
    written,
)
from harness.kit.drawing import sparkline
from harness.kit.numbers import DASH, number
from harness.kit.text import lines, markdown_block, markdown_safe, plain
from harness.kit.worddiff import Runs, sides

LIMIT = 1_200
"""Characters of a paragraph."""
CELL = 300
PROMPT = 600
COMPARED = 600
"""Characters of a text whose words are compared."""
TEXT = 300
"""Characters of an answer."""
PASSAGE = 2_000
"""Characters of a text that stands by itself."""
LINES = 8
"""Lines of one that has several."""
_FIGURES = re.compile(r"(?:[-+–→0-9., \[\]%]| to ){0,60}")
"""What does nothing in a cell: ``0.62 [0.55, 0.70]``, ``0.55 to 0.70``."""
_MARKS = {"missing": "~~", "extra": "**"}


def safe(text: str, limit: int = LIMIT) -> str:
    return markdown_safe(text, limit)


def draw(block: Block) -> Iterator[str]:
    """The paragraphs of a block, to be joined by empty lines."""
    if isinstance(block, Heading):
        yield _heading(block)
        if block.remark:
            yield f"{_sentence(block.remark)}."
    elif isinstance(block, Paragraph):
        yield _paragraph(block)
    elif isinstance(block, Note):
        yield safe(block.text)
    elif isinstance(block, Bullets):
        shown = block.items[: block.short]
        marks = (f"{n}." if block.numbered else "-" for n in range(1, len(shown) + 1))
        listed = zip(marks, shown, strict=True)
        yield "\n".join(f"{mark} {_paragraph(item)}" for mark, item in listed)
        yield more(len(block.items) - len(shown), block.rest)
    elif isinstance(block, Table):
        yield _table(block)
        yield more(len(block.rows) - len(block.rows[: block.short]), block.rest)
    elif isinstance(block, Chart):
        yield safe(block.title, 200)
        yield _table(table_of(block))
    elif isinstance(block, Code):
        yield safe(block.lead)
        yield markdown_block(block.text, 20_000)
    elif isinstance(block, Passage):
        yield from _passage(block)
    elif isinstance(block, Answers):
        yield from _answers(block)


def _figure(text: str, limit: int = LIMIT) -> str:
    return text if _FIGURES.fullmatch(text) else safe(text, limit)


def _heading(block: Heading) -> str:
    if not block.label:
        return f"{'#' * block.level} {safe(block.text, 200)}"
    label = f"{mark_of(block.label)} {safe(block.label, 20)}"
    return f"{'#' * block.level} {label} ({safe(block.text, 200)})"


def _sentence(text: str) -> str:
    shown = safe(text, 300)
    return f"{shown[:1].upper()}{shown[1:]}"


def _paragraph(block: Paragraph) -> str:
    label = f"{mark_of(block.label)} {safe(block.label, 30)}" if block.label else ""
    lead = f"**{_figure(block.lead)}**" if block.lead else ""
    text = " ".join(part for part in (label, lead, safe(block.text)) if part)
    return " · ".join(part for part in (text, safe(block.detail)) if part)


def more(count: int, rest: str) -> str:
    """How much a short table leaves out, and what that is."""
    return f"And {count} more{f', {safe(rest, 300)}' if rest else ''}." if count > 0 else ""


def _table(block: Table) -> str:
    """Its columns but those that are drawn; a trend is a line of letters here, too."""
    shown = [
        at for at, column in enumerate(block.columns)
        if column.kind not in DRAWN or column.kind == "trend"
    ]  # fmt: skip
    heads = [block.columns[at] for at in shown]
    rows = [
        [safe(column.title, 220) for column in heads],
        ["---:" if column.right else "---" for column in heads],
        *([_cell(block.columns[at], row[at]) for at in shown] for row in block.rows[: block.short]),
    ]
    return "\n".join("| " + " | ".join(cell or " " for cell in row) + " |" for row in rows)


def _cell(column: Column, cell: Cell) -> str:
    if column.kind == "trend":
        return sparkline(cell) if isinstance(cell, (tuple, list)) else ""
    shown = _figure(DASH if cell is None else written(cell) or "", CELL)
    return f"{mark_of(str(cell))} {shown}" if column.kind == "label" and cell else shown


# -- answers to rows of the data -------------------------------------------------------------------


def _answers(block: Answers) -> Iterator[str]:
    """The samples that a short report shows: compared word by word, or in a list."""
    shown = block.samples[: block.short]
    if block.reference != "marked":
        yield "\n".join(_listed(block, sample) for sample in shown)
        return
    if shown:
        yield "Words in bold are not in the other text."
    for sample in shown:
        yield from _compared(block, sample)


def _compared(block: Answers, sample: Sample) -> Iterator[str]:
    answer = sample.answers[-1]
    expected, given = sides(plain(sample.reference, COMPARED), plain(answer.text, COMPARED))
    facts = [f"{markdown_safe(block.score, 200)} {number(answer.score, 2)}"]
    facts += [markdown_safe(tag, 60) for tag in sample.tags[:3]]
    facts += [markdown_safe(sample.remark, 30)] if sample.remark else []
    yield f"### {markdown_safe(sample.id, 80)} ({' · '.join(facts)})"
    yield markdown_block(sample.prompt, PROMPT)
    items = [("expected", _marked(expected)), ("answer", _marked(given))]
    items += [
        (markdown_safe(note.lead, 20), markdown_safe(note.text, 360)) for note in sample.notes
    ]
    items += [("row", markdown_safe(sample.place, 200))] if sample.place else []
    yield "\n".join(f"- {lead}: {text}" for lead, text in items)


def _passage(block: Passage) -> Iterator[str]:
    """Its title, and its lines; where words are marked, one line: struck out, and in bold."""
    yield _paragraph(Paragraph(block.remark, lead=block.title))
    pieces = list(plain_pieces(block, PASSAGE))
    if any(kind in _MARKS for kind, _ in pieces):
        marked = "".join(_piece(text, _MARKS.get(kind, "")) for kind, text in pieces)
        yield " ".join(marked.split())
    else:
        text = "".join(text for _, text in pieces)
        yield markdown_block(text) if text.strip() else "*(empty)*"


def _marked(runs: Runs) -> str:
    """A text with the words that differ in bold."""
    if not runs:
        return "*(empty)*"
    return " ".join("".join(_piece(text, "**" * differs) for text, differs in runs).split())


def _piece(text: str, mark: str) -> str:
    words = text.strip()
    shown = markdown_safe(words, PASSAGE)
    if not mark or not words:
        return f" {shown} " if text[:1].isspace() else f"{shown}{' ' * text[-1:].isspace()}"
    # Stars are no marks between a letter and a sign.
    before = " " * (text[0].isspace() or not words[0].isalnum())
    after = " " * (text[-1].isspace() or not words[-1].isalnum())
    return f"{before}{mark}{shown}{mark}{after}"


def _listed(block: Answers, sample: Sample) -> str:
    """Answers in one line each; those of several lines, such as code, as blocks that keep them."""
    texts = [(number(answer.score, 2), answer.text) for answer in sample.answers]
    texts += [("wanted", sample.reference)] if block.reference == "shown" else []
    parts = [f"- **{markdown_safe(sample.id, 80)}**"]
    for lead, text in texts:
        shown = lines(text, TEXT, LINES)
        if "\n" in shown:
            code = markdown_block(shown).replace("\n", "\n    ")
            parts.append(f"  - {lead}\n\n    {code}\n")
        else:
            quoted = f"“{markdown_safe(shown, TEXT)}”" if shown.strip() else "*(empty)*"
            parts.append(f"  - {lead} {quoted}")
    return "\n".join(parts)
