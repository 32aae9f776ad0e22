"""The report in a terminal: the verdict first, the next commands last."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from harness import Analysis
from harness.kit.blocks import Block, of_sections
from harness.kit.terminal.blocks import begins, draw
from harness_reports.shortened import shortened


def render(document: Analysis, console: Console, examples: int = 3) -> None:
    """Print the whole report of a run; its last lines are commands to be pasted."""
    _print(shortened(document, examples), console)


def render_first(document: Analysis, console: Console) -> None:
    """Print what a reader came for; the last lines are commands to be pasted."""
    _print(of_sections(document, short=True), console)


def _print(blocks: Iterable[Block], console: Console) -> None:
    """Print the blocks, an empty line before each part."""
    for block in blocks:
        if begins(block):
            console.print()
        draw(block, console)
