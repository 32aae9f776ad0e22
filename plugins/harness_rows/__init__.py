"""Sources of people's own rows: ``jsonl``, the strict native format."""

from __future__ import annotations

import harness
from harness_rows.jsonl.source import Jsonl


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Jsonl]
