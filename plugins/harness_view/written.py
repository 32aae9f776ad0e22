"""The page of one run as files that need no server: a folder to be sent, or kept."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

import harness
from harness.kit.html.markup import Html, element, joined
from harness.kit.html.page import linked
from harness.kit.terminal import tables
from harness.kit.terminal.progress import SHORT, Display
from harness_view.added import added_page, draw_added
from harness_view.frame import STYLES, failure, files, framed
from harness_view.links import PARTS, Asked, Part
from harness_view.parts import back, drawn, explained
from harness_view.rows import RowsPage, rows_page, with_names
from harness_view.rows_page import draw_rows
from harness_view.source import Source

MOST = 2_000
"""Rows that have a page of their own, and rows of a table."""
SCRIPTS = ("sorting.js", "page.js", "view.js", "written.js")
_NAMES: Mapping[Part, str] = {"now": "index"}


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Where the files are.

    Attributes:
        up: the way from the file that holds the links to the folder.
        row_files: id of a row -> its file.
    """

    up: str = ""
    row_files: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> None:
        """The folder is that of one run."""

    def part(self, part: Part) -> str:
        return f"{self.up}{_NAMES.get(part, part)}.html"

    def rows(self, asked: Asked) -> str:
        number = "" if asked.second is None else f"-{asked.second}"
        return f"{self.up}rows{number}.html"

    def row(self, id: str, asked: Asked) -> str | None:
        file = self.row_files.get(id)
        return None if file is None else f"{self.up}{quote(file)}"


def write(run: str, folder: Path) -> None:
    """Write the page of a run, whole or not at all, and say what is left out.

    Raises:
        UsageError: the folder is there, and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "name one that is not there yet"
        raise harness.UsageError(f"--to {folder}: this is no empty folder", hint=hint)
    if not folder.parent.is_dir():
        raise harness.UsageError(f"--to {folder}: there is no folder {folder.parent}")
    harness.current_reports(run)
    source = Source(run)
    console = Console(stderr=True)
    with (
        contextlib.closing(source),
        tempfile.TemporaryDirectory(dir=folder.parent) as made,
        Display(console, "view", SHORT) as display,
    ):
        whole = Path(made, "page")
        for name in ("files", "rows"):
            (whole / name).mkdir(parents=True)
        for name, text in files().items():
            (whole / "files" / name).write_text(text, encoding="utf-8")
        site = _Site(source)
        report = display.piece("pages")
        for done, (name, page) in enumerate(site.pages(), 1):
            (whole / name).write_text(page, encoding="utf-8")
            report(done, site.number, "")
        os.replace(whole, folder)
    tables.note(console, f"written: {folder / 'index.html'}")
    if site.left_out:
        tables.note(console, site.left_out)


class _Site:
    """All pages of a run.

    Attributes:
        number: of pages.
        left_out: what is not in them, as a sentence; empty for nothing.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tables = _tables(source)
        self._added = added_page(source, 1, MOST)
        shown = {row.id: None for table in self._tables.values() for row in table.rows}
        added = (row["id"] for row in self._added.rows)
        self._ids = list(itertools.islice(dict.fromkeys([*shown, *added]), MOST))
        self.number = len(PARTS) + len(self._tables) - 1 + len(self._ids)
        of_dev = max((table.total for table in self._tables.values()), default=0)
        parts = [
            f"{most - MOST:,} of {most:,} {what}"
            for most, what in ((of_dev, "rows of dev"), (self._added.total, "added rows"))
            if most > MOST
        ]
        command = shlex.join(["harness", "view", source.name])
        self.left_out = f"left out: {', '.join(parts)}; {command} shows all" if parts else ""

    def pages(self) -> Iterator[tuple[str, str]]:
        """Each with its place in the folder."""
        named = {id: f"rows/{at:04}.html" for at, id in enumerate(self._ids, 1)}
        links = FileLinks("", named)
        for part in ("now", "rounds"):
            _, main = drawn(self._source, part, "", links)
            yield links.part(part), self._page(part, main, links)
        for number, page in self._tables.items():
            main = joined(self._note(), draw_rows(page, links, served=False))
            yield links.rows(Asked(second=number)), self._page("rows", main, links)
        if not self._tables:
            yield links.part("rows"), self._page("rows", failure("No round is closed yet."), links)
        added = joined(self._note(), draw_added(self._added, links, served=False))
        yield links.part("added"), self._page("added", added, links)
        links = FileLinks("../", named)
        for id in self._ids:
            main = joined(back(id, Asked(), links), explained(self._source, id))
            yield named[id], self._page("row", main, links)

    def _note(self) -> Html | None:
        return element("p", self.left_out, class_="note") if self.left_out else None

    def _page(self, here: str, main: Html, links: FileLinks) -> str:
        page = framed(self._source.name, here, main, links)
        sheets, scripts = ([f"{links.up}files/{name}" for name in names]
                           for names in (STYLES, SCRIPTS))  # fmt: skip
        return linked(page, sheets, scripts, served=False)


def _tables(source: Source) -> dict[int | None, RowsPage]:
    """The table of the best round (None), and those of the others, each against the base model."""
    try:
        best = rows_page(source, Asked(), MOST)
    except harness.UsageError:  # nothing is answered yet
        return {}
    others = [number for number in best.head.rounds if number not in (best.first, best.second)]
    tables: dict[int | None, RowsPage] = {
        number: rows_page(source, Asked(second=number), MOST) for number in others
    }
    return {None: with_names(source, best)} | {
        number: with_names(source, page) for number, page in tables.items()
    }
