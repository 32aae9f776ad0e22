"""The report as Markdown: tables, no raw HTML, and nothing from data that could act."""

from __future__ import annotations

from harness_reports.figures import Document
from harness_reports.markdown import closing, data, errors, people, sections, verdict, weak, worst


def page(document: Document, examples: int = 3) -> str:
    """The whole report: the verdict first, the next command last."""
    parts = (
        *verdict.sections(document),
        *weak.sections(document),
        *errors.sections(document),
        people.part(document),
        worst.section(document, examples),
        *data.sections(document),
        *sections.sections(document),
        *closing.sections(document),
    )
    return "\n\n".join(part for part in parts if part) + "\n"
