"""The report in a terminal: the verdict first, the next command last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from harness_reports.sections import Examples, sections, short
from harness_reports.terminal.blocks import draw
from harness_reports.terminal.examples import draw_examples


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    """Print the report of a run; the last line is the next command."""
    found = [block for block in sections(document) if examples or not isinstance(block, Examples)]
    for block in short(found):
        if isinstance(block, Examples):
            draw_examples(block, console, examples)
        else:
            draw(block, console)
