"""What the reports show of documents, with all their sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

import harness_reports.html.page as html
import harness_reports.terminal as in_terminal
from harness.kit.html.page import whole as whole_page
from harness.records.analysis import Analysis
from harness.registry import Registry
from harness.report.sections import with_sections
from harness_reports import markdown as as_markdown
from harness_reports.html.runs import page_of_runs
from harness_reports.markdown.comment import comment as brief
from tests.support.documents import whole

REGISTRY = Registry.build()


def drawn(document: Mapping[str, Any]) -> Analysis:
    """What a reporter is given."""
    return with_sections(whole(document), REGISTRY)


def page(document: Mapping[str, Any]) -> str:
    return html.page(drawn(document))


def runs_page(document: Mapping[str, Any]) -> str:
    return whole_page(page_of_runs(document))


def markdown(document: Mapping[str, Any], examples: int = 3) -> str:
    return as_markdown.page(drawn(document), examples)


def comment(document: Mapping[str, Any]) -> str:
    return brief(drawn(document))


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    in_terminal.render(drawn(document), console, examples)


def render_first(document: Mapping[str, Any], console: Console) -> None:
    in_terminal.render_first(drawn(document), console)
