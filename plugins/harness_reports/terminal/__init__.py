"""The report in a terminal: the verdict first, the next commands last."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from harness_reports.sections import Examples, Gains, Shown, first, sections, short
from harness_reports.terminal.blocks import begins, draw
from harness_reports.terminal.examples import draw_examples
from harness_reports.terminal.gains import Overflow, draw_gains

LINES, WIDTH = 40, 80
"""What a screen holds of a report; a narrower one scrolls."""


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    """Print the whole report of a run; its last lines are commands to be pasted."""
    found = [block for block in sections(document) if examples or not isinstance(block, Examples)]
    _Page(console, "fold", examples).print(short(found))


def render_first(document: Mapping[str, Any], console: Console) -> None:
    """Print what a reader came for, in at most :data:`LINES` lines of 80 columns.

    Where texts are long, empty lines between the parts give way, the last ones first.
    """
    blocks = list(short(first(document)))
    page = _Page(console, "ellipsis")
    if console.width >= WIDTH:
        tried = Console(file=io.StringIO(), width=console.width, color_system=None)
        gaps = _Page(tried, "ellipsis").print(blocks)
        page.gaps = gaps - max(0, tried.file.getvalue().count("\n") - LINES)  # type: ignore[attr-defined]
    page.print(blocks)


@dataclass(slots=True)
class _Page:
    """Where blocks are printed.

    Attributes:
        overflow: see :func:`draw_gains`.
        examples: how many of the worst answers are shown.
        gaps: how many parts have an empty line before them.
    """

    console: Console
    overflow: Overflow
    examples: int = 0
    gaps: int = 10_000

    def print(self, blocks: Iterable[Shown]) -> int:
        """Print them; returns the number of empty lines between the parts."""
        made = 0
        for block in blocks:
            if begins(block):
                if made < self.gaps:
                    self.console.print()
                made += 1
            self._draw(block)
        return made

    def _draw(self, block: Shown) -> None:
        if isinstance(block, Examples):
            draw_examples(block, self.console, self.examples)
        elif isinstance(block, Gains):
            draw_gains(block, self.console, self.overflow)
        else:
            draw(block, self.console)
