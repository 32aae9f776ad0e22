"""The source ``docstrings``: Python code as questions, its docstrings as answers."""

from __future__ import annotations

import harness
from harness_sources.docstrings import Docstrings


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Docstrings]
