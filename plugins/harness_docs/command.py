"""``harness docs``: the pages of the documentation, listed and shown."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

import harness
from harness.kit.blocks import Column, Table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.tables import head, note
from harness.kit.text import one_line, plain
from harness_docs.search import Hit, around, search, sections

INDEX = "README"
MOST_HITS = 8
LINE = 220
"""Characters of a line that holds words."""
_ENTRY = re.compile(r"- \[[^\]]*\]\((?P<page>[\w/-]+)\.md\): (?P<question>.+)")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<page>[\w./-]+)\.md(?:#[^)]*)?\)")
_HERE = re.compile(r"\[(?P<text>[^\]]*)\]\(#[^)]*\)")
_PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\([^)]*\)")
_MARK = re.compile(r"^<!-- (?:made: .*|end) -->\n", re.MULTILINE)

app = typer.Typer()


@app.command()
def docs(
    page: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="[PAGE]", help="name of a page (default: the list of them)"),
    ] = None,
    search: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--search", metavar="WORDS", help="where the pages hold these words"),
    ] = None,
) -> None:
    """Show a page of the documentation, list the pages, or search them."""
    folder = harness.shipped("docs")
    console = Console()
    if search is not None:
        if page is not None:
            raise harness.UsageError("--search looks in all pages: no PAGE")
        _show_hits(search, folder, console)
    elif page is None:
        _show_index(_read(folder, INDEX), console)
    else:
        _show_page(_name_of(page, folder), folder, console)


def _name_of(asked: str, folder: Path) -> str:
    """The page that is meant: also by its file (``docs/data.md``), or without its folder.

    Raises:
        UsageError: there is no such page.
    """
    known = sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.md"))
    name = asked.removeprefix("docs/").removesuffix(".md")
    matches = [page for page in known if name in (page, page.rpartition("/")[2])]
    if not matches:
        hint = "harness docs"
        if pages := list(dict.fromkeys(hit.section.page for hit in _hits([name], folder)))[:3]:
            shown = ", ".join(pages)
            hint += f"; the word stands in {shown}: harness docs --search {shlex.quote(name)}"
        raise harness.UsageError(
            f"there is no page '{one_line(asked, 80)}'{harness.near(name, known)}", hint=hint
        )
    return min(matches, key=len)


def _hits(words: Sequence[str], folder: Path) -> list[Hit]:
    pages = []
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name != INDEX:
            pages += sections(name, _read(folder, name))
    return search(words, pages)


def _show_hits(asked: str, folder: Path, console: Console) -> None:
    """The best sections, each with its page, its heading and the lines that hold most words.

    Raises:
        UsageError: no page holds any of the words.
    """
    words = re.findall(r"\w+", asked)
    words = [word for word in words if len(word) > 1] or words
    hits = _hits(words, folder)
    if not hits:
        raise harness.UsageError(f"no page holds '{one_line(asked, 80)}'", hint="harness docs")
    hits = [hit for hit in hits if hit.words >= hits[0].words - 1]
    marked = re.compile("|".join(rf"\b{re.escape(word)}" for word in words), re.IGNORECASE)
    for hit in hits[:MOST_HITS]:
        section = hit.section
        title = Text.assemble((section.page, "bold cyan"), f"  {section.heading}")
        console.print(title, highlight=False, soft_wrap=True)
        for line in hit.lines:
            shown = Text(plain(around(line, words, LINE)))
            shown.highlight_regex(marked, "bold")
            console.print(Padding(shown, (0, 0, 0, 2), expand=False), highlight=False)
    more = len(hits) - MOST_HITS
    note(console, f"and {more} more sections" if more > 0 else "harness docs PAGE shows a page.")


def _read(folder: Path, name: str) -> str:
    """A page, without the marks of what ``make pages`` writes into it."""
    try:
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
    except OSError as error:
        raise harness.UsageError(
            "the documentation is not installed", hint="install iteration-harness again"
        ) from error
    return _MARK.sub("", text)


def _show_index(text: str, console: Console) -> None:
    """Each group of the index with its pages, and the question that each one answers."""
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


def _show_page(name: str, folder: Path, console: Console) -> None:
    """Formatted in a terminal; the Markdown itself in a pipe."""
    text = _read(folder, name)
    if not console.is_terminal:
        sys.stdout.write(plain(text))
        return
    from harness_docs.markdown import Page

    text = _LINK.sub(partial(_in_words, folder, (folder / name).parent), plain(text))
    text = _PICTURE.sub(r"(picture: \g<text>)", _HERE.sub(r"\g<text>", text))
    console.print(Page(text, hyperlinks=False))


def _in_words(folder: Path, beside: Path, link: re.Match[str]) -> str:
    """A link to another page, as the command that shows it; to a file elsewhere, as its path."""
    shown = link["text"]
    page = os.path.relpath(beside / link["page"], folder)
    if page.startswith("..") or not (folder / f"{page}.md").exists():
        return f"{shown} ({page.removeprefix('../')}.md)"
    command = f"`harness docs {page}`"
    return command if shown.removesuffix(".md") == page else f"{shown} ({command})"
