"""Reports of a run: their sections, and how a terminal, Markdown and a page draw them."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

import harness

if TYPE_CHECKING:
    from rich.console import Console

    from harness.kit.html.page import Page


class TerminalReporter(harness.Reporter):
    """Shows the short report in a terminal, and writes the whole as text (``report.txt``)."""

    name = "terminal"

    class Options(harness.Options):
        """
        Attributes:
            width: columns of ``report.txt``; a terminal is always used in its own width.
            examples: how many of the worst examples are shown.
        """

        width: int = Field(
            default=100,
            ge=60,
            le=400,
            description="columns of `report.txt`, 60 to 400; a terminal is used in its own width",
        )
        examples: int = Field(
            default=3, ge=0, description="how many of the worst answers are shown"
        )

    def show(self, document: harness.Analysis, console: Console) -> bool:
        """Print what a reader came for; the last lines are commands to be pasted."""
        from harness_reports.terminal import render_first

        render_first(document, console)
        return True

    def write(self, document: harness.Analysis, folder: Path) -> Sequence[Path]:
        from rich.console import Console

        from harness_reports.terminal import render

        page = io.StringIO()
        console = Console(file=page, width=self.options.width, color_system=None)
        render(document, console, examples=self.options.examples)
        lines = (line.rstrip() for line in page.getvalue().split("\n"))
        return _written(folder / "report.txt", "\n".join(lines))


class FullReporter(TerminalReporter):
    """The same, but shows the whole report in a terminal."""

    name = "full"

    def show(self, document: harness.Analysis, console: Console) -> bool:
        """Print the whole report; the last lines are commands to be pasted."""
        from harness_reports.terminal import render

        render(document, console, examples=self.options.examples)
        return True


class MarkdownReporter(harness.Reporter):
    """Writes ``report.md``: tables and text that can be pasted into a pull request."""

    name = "markdown"

    class Options(harness.Options):
        """
        Attributes:
            examples: how many of the worst examples are shown.
        """

        examples: int = Field(
            default=3, ge=0, description="how many of the worst answers are shown"
        )

    def write(self, document: harness.Analysis, folder: Path) -> Sequence[Path]:
        from harness_reports.markdown import page

        return _written(folder / "report.md", page(document, examples=self.options.examples))


class BriefReporter(harness.Reporter):
    """Writes ``comment.md``: at most twenty lines of Markdown, for a pull request."""

    name = "brief"

    def show(self, document: harness.Analysis, console: Console) -> bool:
        """Print the Markdown as it is, to be piped."""
        from harness_reports.markdown.comment import comment

        console.out(comment(document), highlight=False, end="")
        return True

    def write(self, document: harness.Analysis, folder: Path) -> Sequence[Path]:
        from harness_reports.markdown.comment import comment

        return _written(folder / "comment.md", comment(document))


class HtmlReporter(harness.Reporter):
    """Writes ``report.html``: one page that needs no network and no script to be read."""

    name = "html"

    def write(self, document: harness.Analysis, folder: Path) -> Sequence[Path]:
        from harness_reports.html.page import page

        return _written(folder / "report.html", page(document))

    def write_all(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """The same of all runs of a folder: ``runs.html``."""
        from harness.kit.html.page import whole
        from harness_reports.html.runs import page_of_runs

        return _written(folder / "runs.html", whole(page_of_runs(document)))


def _written(path: Path, text: str) -> Sequence[Path]:
    harness.write_text(path, text)
    return [path]


@harness.hookimpl
def register_reporters() -> list[type[harness.Reporter]]:
    return [TerminalReporter, FullReporter, MarkdownReporter, BriefReporter, HtmlReporter]


@harness.hookimpl
def all_runs(
    beside: Collection[str], sharing: Sequence[Collection[str]], last: int | None
) -> Mapping[str, Any]:
    from harness_reports.runs.document import all_runs

    document: Mapping[str, Any] = harness.to_json(all_runs(beside, sharing, last))
    return document


@harness.hookimpl
def page_of_runs(document: Mapping[str, Any], link: Callable[[str], str] | None) -> Page:
    from harness_reports.html.runs import page_of_runs

    return page_of_runs(document, link)


@harness.hookimpl
def register_sections() -> Sequence[type[harness.Section]]:
    from harness_reports.sections import SECTIONS

    return SECTIONS
