"""First-party sources of examples: ``docstrings`` (Python code) and ``jsonl`` (your own rows)."""

from __future__ import annotations

import harness
from harness_sources.docstrings import Docstrings
from harness_sources.jsonl import Jsonl


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Docstrings, Jsonl]
