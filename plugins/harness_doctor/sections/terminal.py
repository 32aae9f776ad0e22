"""The terminal that answers are shown in, and the browser that shows pages."""

from __future__ import annotations

import shutil
import sys
import webbrowser

from rich.console import Console

from harness_doctor.findings import Section, Trouble

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""Commands of which the tests of the pages take the first."""


def section() -> Section:
    """Size, colours, encoding and browsers. Only an encoding that loses characters is wrong."""
    console, size = Console(), shutil.get_terminal_size()
    encoding = str(getattr(sys.stdout, "encoding", None) or "unknown")
    values = {
        "columns": size.columns, "lines": size.lines, "terminal": sys.stdout.isatty(),
        "colours": console.color_system, "encoding": encoding,
        "browser": _browser(), "chromium": any(map(shutil.which, CHROMIUM)),
    }  # fmt: skip
    kind = "a terminal" if values["terminal"] else "no terminal (a pipe or a file)"
    facts = {
        "output": f"{kind}, {size.columns} x {size.lines}",
        "colours": console.color_system or "none",
        "encoding": encoding,
        "browser": "found" if values["browser"] else "none: open a report's file elsewhere",
        "Chromium": "found" if values["chromium"] else "none: only tests of the pages need it",
    }
    return Section("terminal", "Terminal", facts, values, tuple(_troubles(encoding)))


def _browser() -> bool:
    """Whether ``harness report --open`` has something to open."""
    try:
        webbrowser.get()
    except (webbrowser.Error, OSError):
        return False
    return True


def _troubles(encoding: str) -> list[Trouble]:
    if encoding.casefold().replace("-", "") in ("utf8", "utf8sig", "unknown"):
        return []
    return [
        Trouble(
            f"the terminal's encoding is {encoding}",
            "characters that it lacks are shown as question marks",
            "export PYTHONUTF8=1",
            "warning",
        )
    ]
