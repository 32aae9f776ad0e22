"""What the commands below ``harness data`` print on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.kit.terminal import tables
from harness_rows.commands.data.request import Request


def answer(request: Request, document: Mapping[str, Any], show: Callable[[Console], None]) -> None:
    """The document with ``--json``; else how the rows were recognised, and what ``show`` prints."""
    if request.as_json:
        sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
        return
    console = Console()
    for sentence in document["format"]:
        tables.note(console, sentence, "dim")
    show(console)


def set_in(console: Console, text: Text) -> None:
    """A text set in by two cells, without blanks at the ends of its lines."""
    for line in text.wrap(console, max(console.width - 2, 10), overflow="fold"):
        line.rstrip()
        console.print(Text("  ").append_text(line), highlight=False, soft_wrap=True)
