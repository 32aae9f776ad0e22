"""The report in a terminal: the verdict first, the next commands last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from harness.terminal.blocks import begins, draw
from harness_reports.sections import Examples, Gains, Shown, first, sections, short
from harness_reports.terminal.examples import draw_examples
from harness_reports.terminal.gains import draw_gains


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    """Print the whole report of a run; its last lines are commands to be pasted."""
    found = (block for block in sections(document) if examples or not isinstance(block, Examples))
    _print(found, console, examples)


def render_first(document: Mapping[str, Any], console: Console) -> None:
    """Print what a reader came for; the last lines are commands to be pasted."""
    _print(first(document), console)


def _print(blocks: Iterable[Shown], console: Console, examples: int = 0) -> None:
    """Print the blocks, an empty line before each part.

    Args:
        examples: how many of the worst answers are shown.
    """
    for block in short(blocks):
        if begins(block):
            console.print()
        if isinstance(block, Examples):
            draw_examples(block, console, examples)
        elif isinstance(block, Gains):
            draw_gains(block, console)
        else:
            draw(block, console)
