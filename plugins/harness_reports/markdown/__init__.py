"""The report as Markdown: tables, no raw HTML, and nothing from data that could act."""

from __future__ import annotations

from harness_reports.figures import Document
from harness_reports.markdown import closing, data, errors, verdict, weak, worst
from harness_reports.markdown.blocks import draw
from harness_reports.parts import of_plugins


def page(document: Document, examples: int = 3) -> str:
    """The whole report: the verdict first, the next command last."""
    parts = (
        *verdict.sections(document),
        *draw(of_plugins(document, "verdict")),
        *weak.sections(document),
        *draw(of_plugins(document, "weak")),
        *errors.sections(document),
        *draw(of_plugins(document, "errors")),
        worst.section(document, examples),
        *draw(of_plugins(document, "examples")),
        *data.sections(document),
        *draw(of_plugins(document, "data")),
        *closing.sections(document),
    )
    return "\n\n".join(part for part in parts if part) + "\n"
