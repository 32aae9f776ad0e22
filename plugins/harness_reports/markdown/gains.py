"""Answers that got better, and the worst that did not, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.kit.numbers import number
from harness.kit.text import lines, markdown_block
from harness_reports.figures import Document
from harness_reports.markdown.blocks import safe
from harness_reports.sections import Gains

TEXT = 300
"""Characters of an answer."""
LINES = 8
"""Lines of one that has several."""


def draw_gains(block: Gains) -> str:
    """A list: an answer of the base model and of the best round in each item."""
    items = [_item(row["id"], _sides(block, row), "") for row in block.better]
    if worst := block.not_better:
        sides = (*_sides(block, worst), ("wanted", worst["reference"]))
        items.append(_item(worst["id"], sides, "not better: "))
    return "\n".join(items)


def _item(name: str, sides: Iterable[tuple[str, str]], before: str) -> str:
    """Answers in one line each; those of several lines, such as code, as blocks that keep them."""
    told = [f"- {before}**{safe(name, 80)}**"]
    for title, text in sides:
        shown = lines(text, TEXT, LINES)
        if "\n" in shown:
            block = markdown_block(shown).replace("\n", "\n    ")
            told.append(f"  - {title}\n\n    {block}\n")
        else:
            told.append(f"  - {title} {f'“{safe(shown, TEXT)}”' if shown.strip() else '*(empty)*'}")
    return "\n".join(told)


def _sides(block: Gains, row: Document) -> Iterator[tuple[str, str]]:
    for answer in block.answers(row):
        yield number(answer["score"], 2), answer["text"]
