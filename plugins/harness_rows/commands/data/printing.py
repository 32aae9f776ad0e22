"""What the commands below ``harness data`` print on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from harness.kit.terminal import tables
from harness_rows.commands.data.request import Request


class Read(Protocol):
    """Rows that were read.

    Attributes:
        where: what people call the place.
        said: sentences: which format was recognised, and by what.
    """

    @property
    def where(self) -> str: ...

    @property
    def said(self) -> Sequence[str]: ...


def answer(
    request: Request, rows: Read, document: Mapping[str, Any], show: Callable[[Console], None]
) -> None:
    """The document with ``--json``, behind what was read and how it was recognised; else the
    latter, and what ``show`` prints."""
    if request.as_json:
        whole = {"data": rows.where, "format": rows.said, **document}
        sys.stdout.write(json.dumps(whole, indent=1, allow_nan=False) + "\n")
        return
    console = Console()
    for sentence in rows.said:
        tables.note(console, sentence, "dim")
    show(console)


def note_written(console: Console, files: Iterable[Path | None], otherwise: str = "") -> None:
    """Which files were written; where there is none, what is to be said then."""
    names = ", ".join(str(path) for path in files if path)
    if names or otherwise:
        tables.note(console, f"written: {names}" if names else otherwise)


def set_in(console: Console, text: Text) -> None:
    """A text set in by two cells, without blanks at the ends of its lines."""
    for line in text.wrap(console, max(console.width - 2, 10), overflow="fold"):
        line.rstrip()
        console.print(Text("  ").append_text(line), highlight=False, soft_wrap=True)
