"""The report in a terminal: the verdict first, the next command last."""

from __future__ import annotations

from rich.console import Console

from harness_reports.figures import Document
from harness_reports.parts import of_plugins
from harness_reports.terminal import closing, data, errors, verdict, weak, worst
from harness_reports.terminal.blocks import draw


def render(document: Document, console: Console, examples: int = 3) -> None:
    """Print the report of a run; the last line is the next command."""
    verdict.render(document, console)
    draw(of_plugins(document, "verdict"), console)
    weak.render(document, console)
    draw(of_plugins(document, "weak"), console)
    errors.render(document, console)
    draw(of_plugins(document, "errors"), console)
    worst.render(document, console, examples)
    draw(of_plugins(document, "examples"), console)
    data.render(document, console)
    draw(of_plugins(document, "data"), console)
    closing.render(document, console)
