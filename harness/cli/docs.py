"""``harness docs``: the pages of the documentation, listed and shown."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from harness.errors import UsageError, near
from harness.kit.text import one_line, plain

INDEX = "README"
_ENTRY = re.compile(r"- \[[^\]]*\]\((?P<page>[\w/-]+)\.md\): (?P<question>.+)")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<page>[\w./-]+)\.md(?:#[^)]*)?\)")
_PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\([^)]*\)")

app = typer.Typer()


@app.command()
def docs(
    page: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="[PAGE]", help="name of a page (default: the list of them)"),
    ] = None,
) -> None:
    """Show a page of the documentation, or list the pages."""
    from harness.config.finding import shipped

    folder = shipped("docs")
    console = Console()
    if page is None:
        _show_index(_read(folder, INDEX), console)
    else:
        _show_page(_read(folder, _name_of(page, folder)), console)


def _name_of(asked: str, folder: Path) -> str:
    """The page that is meant: also by its file (``docs/data.md``), or without its folder.

    Raises:
        UsageError: there is no such page.
    """
    known = sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.md"))
    name = asked.removeprefix("docs/").removesuffix(".md")
    matches = [page for page in known if name in (page, page.rpartition("/")[2])]
    if not matches:
        raise UsageError(
            f"there is no page '{one_line(asked, 80)}'{near(name, known)}", hint="harness docs"
        )
    return min(matches, key=len)


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / f"{name}.md").read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "the documentation is not installed", hint="install iteration-harness again"
        ) from error


def _show_index(text: str, console: Console) -> None:
    """Each group of the index with its pages, and the question that each one answers."""
    from harness.kit.blocks import Column, Table
    from harness.terminal.blocks import draw_rows
    from harness.terminal.tables import head, note

    groups = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for group in groups:
        head(console, group.partition("\n")[0])
        pages = tuple(
            (entry["page"], re.sub(r"[`*]", "", entry["question"]))
            for entry in _ENTRY.finditer(group)
        )
        draw_rows(Table((Column("", "word", strong=True), Column("")), pages, "pages"), console)
    console.print()
    note(console, "harness docs PAGE shows a page.")


def _show_page(text: str, console: Console) -> None:
    """Formatted in a terminal; the Markdown itself in a pipe."""
    if not console.is_terminal:
        sys.stdout.write(plain(text))
        return
    from harness.terminal.pages import Page

    text = _PICTURE.sub(r"(picture: \g<text>)", _LINK.sub(_in_words, plain(text)))
    console.print(Page(text, hyperlinks=False))


def _in_words(link: re.Match[str]) -> str:
    """A link to another page, as the command that shows it."""
    page = link["page"].removeprefix("../").removeprefix("docs/")
    command = f"`harness docs {page}`"
    shown = link["text"]
    return command if shown.removesuffix(".md") == page else f"{shown} ({command})"
