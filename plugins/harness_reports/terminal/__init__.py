"""The report in a terminal: the verdict first, the next commands last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from harness.terminal.blocks import begins, draw
from harness_reports.sections import Examples, Gains, Shown, first, sections, short
from harness_reports.sections.closing import whole_report
from harness_reports.terminal.examples import draw_examples
from harness_reports.terminal.gains import Overflow, draw_gains
from harness_reports.terminal.screen import Draw, print_screen


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    """Print the whole report of a run; its last lines are commands to be pasted."""
    draw = _drawing("fold", examples)
    found = (block for block in sections(document) if examples or not isinstance(block, Examples))
    for block in short(found):
        if begins(block):
            console.print()
        draw(block, console)


def render_first(document: Mapping[str, Any], console: Console) -> None:
    """Print what a reader came for, on one screen (:func:`print_screen`)."""
    blocks = list(short(first(document)))
    whole = whole_report(str(document.get("run") or ""))
    print_screen(blocks, console, _drawing("ellipsis"), whole)


def _drawing(overflow: Overflow, examples: int = 0) -> Draw:
    """How a block is printed.

    Args:
        overflow: see :func:`draw_gains`.
        examples: how many of the worst answers are shown.
    """

    def drawn(block: Shown, console: Console) -> None:
        if isinstance(block, Examples):
            draw_examples(block, console, examples)
        elif isinstance(block, Gains):
            draw_gains(block, console, overflow)
        else:
            draw(block, console)

    return drawn
