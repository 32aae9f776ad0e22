"""Sources of people's own rows: ``rows`` (most formats) and ``jsonl`` (strict and native)."""

from __future__ import annotations

import harness
from harness_rows.jsonl import Jsonl
from harness_rows.source import Rows


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Rows, Jsonl]
