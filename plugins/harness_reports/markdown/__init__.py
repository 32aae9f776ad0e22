"""The report as Markdown: tables, no raw HTML, and nothing from data that could act."""

from __future__ import annotations

from harness import Analysis
from harness.kit.markdown import draw
from harness_reports.shortened import shortened


def page(document: Analysis, examples: int = 3) -> str:
    """The whole report: the verdict first, the next commands last."""
    parts = (part for block in shortened(document, examples) for part in draw(block))
    return "\n\n".join(filter(None, parts)) + "\n"
