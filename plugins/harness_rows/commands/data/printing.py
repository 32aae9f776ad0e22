"""What these commands print on standard output: JSON, and texts of tables."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text


def set_in(console: Console, text: Text) -> None:
    """A text set in by two cells, without blanks at the ends of its lines."""
    for line in text.wrap(console, max(console.width - 2, 10), overflow="fold"):
        line.rstrip()
        console.print(Text("  ").append_text(line), highlight=False, soft_wrap=True)


def write_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
