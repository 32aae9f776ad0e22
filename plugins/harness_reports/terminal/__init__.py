"""The report in a terminal: the verdict first, the next command last."""

from __future__ import annotations

from rich.console import Console

from harness_reports.figures import Document
from harness_reports.terminal import closing, data, errors, people, sections, verdict, weak, worst


def render(document: Document, console: Console, examples: int = 3) -> None:
    """Print the report of a run; the last line is the next command."""
    verdict.render(document, console)
    weak.render(document, console)
    errors.render(document, console)
    people.render(document, console)
    worst.render(document, console, examples)
    data.render(document, console)
    sections.render(document, console)
    closing.render(document, console)
