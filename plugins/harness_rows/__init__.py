"""Sources of people's own rows: ``rows`` (most formats) and ``jsonl`` (strict and native)."""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness_rows.jsonl import Jsonl
from harness_rows.source import Rows


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Rows, Jsonl]


@harness.hookimpl
def notes_on_rows(texts: Sequence[str], rows: int) -> list[str]:
    """That rows hold what may be personal data."""
    from harness_rows.cleaning.private import counting

    counts = counting.kinds_in(texts)
    finding = counting.sentence(counts, len(texts), rows)
    return [f"{finding}; {counting.remedy(counts)}"] if finding else []


@harness.hookimpl
def masked(text: str) -> str:
    """A text of a row with a token in place of each private value."""
    from harness_rows.cleaning.private import counting

    return counting.masked(text)
