"""Sections of plugins: what they say, in the analysis and, if they always do, in every report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.lending import copied
from harness.errors import EnvironmentFailure, HarnessError, Waiting
from harness.kit.blocks import to_json
from harness.kit.documents import finite
from harness.kit.text import one_line
from harness.registry import Registry
from harness.report.reading import Document
from harness.stages import Section
from harness.stages.reporting import blocks_of, table_of

MOST_ROWS = 50

Guard = Callable[[Section], AbstractContextManager[None]]


def unguarded(section: Section) -> AbstractContextManager[None]:
    return plainly(f"section '{section.name}'")


def made(
    sections: Sequence[Section], document: Document, database: Path, failed: dict[str, str],
    guard: Guard,
) -> list[Document]:  # fmt: skip
    """What the sections of a config say; one that fails is named under ``failed``.

    A cell of a table is a number, or a text in one line.
    """
    entries: list[Document] = []
    for section in sections:
        try:
            with guard(section):
                entry = _with_rows(section, copied(document), database)
                if type(section).blocks is not Section.blocks:
                    so_far = {**document, "sections": [*entries, entry]}
                    entry |= _with_blocks(section, copied(so_far))
        except (Waiting, EnvironmentFailure):
            raise
        except HarnessError as error:
            failed[section.name] = error.what
            continue
        entries.append(entry)
    return entries


def with_always(document: Mapping[str, Any], registry: Registry) -> Document:
    """The document that reporters are given: with the sections that no config has to name.

    They are drawn from what the analysis holds, so they stand in the report of a run that was
    made without them, too.
    """
    known = {section["name"] for section in document.get("sections") or ()}
    sections, failed = list(document.get("sections") or ()), dict(document.get("failed") or {})
    for stage, name, provider in registry.providers():
        kind: Any = provider.plugin
        if stage != "section" or not kind.always or name in known:
            continue
        try:
            with plainly(f"section '{name}' from {provider.origin}"):
                entry = _head(kind()) | _with_blocks(kind(), copied(document))
        except HarnessError as error:
            failed[name] = error.what
            continue
        if entry["blocks"]:
            sections.append(entry)
    return {**document, "sections": sections, "failed": failed}


def _head(section: Section) -> Document:
    title = one_line(section.title or section.name, 120)
    return {"name": section.name, "title": title, "columns": [], "rows": [], "cut": False}


def _with_rows(section: Section, document: Document, database: Path) -> Document:
    rows = table_of(section, document, database)
    columns = list(rows[0]) if rows else []
    return {
        **_head(section),
        "columns": [one_line(str(name), 80) for name in columns],
        "rows": [[_cell(row.get(name)) for name in columns] for row in rows[:MOST_ROWS]],
        "cut": len(rows) > MOST_ROWS,
    }


def _with_blocks(section: Section, document: Mapping[str, Any]) -> Document:
    blocks = blocks_of(section, document)
    return {"after": section.after, "blocks": [to_json(block) for block in blocks]}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return finite(float(value))
    return one_line(str(value), 300)
