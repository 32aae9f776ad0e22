"""Answers that got better, and the worst that did not, in Markdown."""

from __future__ import annotations

from harness.kit.numbers import number
from harness_reports.figures import Document
from harness_reports.markdown.blocks import safe
from harness_reports.sections import Gains

TEXT = 300
"""Characters of an answer."""


def draw_gains(block: Gains) -> str:
    """A list, an answer of the base model and of the best round in each item."""
    items = [_item(row, block.kept_round) for row in block.better]
    if worst := block.not_better:
        items.append(
            f"not better: {_item(worst, block.kept_round)}; wanted: {_text(worst['reference'])}"
        )
    return "\n".join(f"- {item}" for item in items)


def _item(row: Document, kept: int) -> str:
    by_round = {one["round"]: one for one in row["answers"]}
    sides = [by_round[at] for at in dict.fromkeys((0, kept)) if at in by_round]
    if not sides:
        sides = [{"score": row["score"], "text": row["answer"]}]
    told = " → ".join(f"{number(one['score'], 2)} {_text(one['text'])}" for one in sides)
    return f"**{safe(row['id'], 80)}** {told}"


def _text(text: str) -> str:
    return f"“{safe(text, TEXT)}”" if text.strip() else "*(empty)*"
