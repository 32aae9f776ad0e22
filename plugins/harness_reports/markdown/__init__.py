"""The report as Markdown: tables, no raw HTML, and nothing from data that could act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness_reports.markdown.blocks import draw
from harness_reports.markdown.examples import draw_examples
from harness_reports.markdown.gains import draw_gains
from harness_reports.sections import Examples, Gains, Shown, sections, short


def page(document: Mapping[str, Any], examples: int = 3) -> str:
    """The whole report: the verdict first, the next commands last."""
    found = [block for block in sections(document) if examples or not isinstance(block, Examples)]
    parts = (part for block in short(found) for part in _parts(block, examples))
    return "\n\n".join(filter(None, parts)) + "\n"


def _parts(block: Shown, examples: int) -> Iterator[str]:
    if isinstance(block, Examples):
        return draw_examples(block, examples)
    if isinstance(block, Gains):
        return iter((draw_gains(block),))
    return draw(block)
