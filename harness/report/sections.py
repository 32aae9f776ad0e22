"""Sections: what they say, in the analysis and, if they always do, in every report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.lending import copied
from harness.errors import EnvironmentFailure, HarnessError, Waiting
from harness.kit.blocks import Heading, to_json
from harness.kit.documents import finite
from harness.kit.text import one_line
from harness.registry import Registry
from harness.report.reading import Document
from harness.stages import Section
from harness.stages.reporting import blocks_of, short_of, table_of

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
                so_far = {**document, "sections": [*entries, entry]}
                entry |= _drawn(section, so_far)
        except (Waiting, EnvironmentFailure):
            raise
        except HarnessError as error:
            failed[section.name] = error.what
            continue
        entries.append(entry)
    return entries


def with_sections(document: Mapping[str, Any], registry: Registry) -> Document:
    """The document that reporters are given: with the sections that no config has to name.

    They are drawn from what the analysis holds, so they stand in the report of a run that was
    made without them, too. All stand in their order.
    """
    named = list(document["sections"])
    known = {section["name"] for section in named}
    always = [
        (provider.plugin, provider.origin)
        for _, name, provider in registry.providers()
        if issubclass(provider.plugin, Section) and provider.plugin.always and name not in known
    ]
    found = {**document, "failed": dict(document["failed"])}
    entries: list[Document] = []
    for kind, origin in sorted(always, key=lambda section: section[0].order):
        try:
            with plainly(f"section '{kind.name}' from {origin}"):
                entry = {**_head(kind()), **_drawn(kind(), found)}
        except HarnessError as error:
            found["failed"][kind.name] = error.what
            continue
        entries.append(entry)
    return {**found, "sections": sorted([*named, *entries], key=lambda entry: entry["order"])}


def _head(section: Section) -> Document:
    return {
        "name": section.name,
        "title": one_line(section.title, 120),
        "order": section.order,
        "columns": [],
        "rows": [],
        "cut": False,
    }


def _with_rows(section: Section, document: Document, database: Path) -> Document:
    rows = table_of(section, document, database)
    columns = list(rows[0]) if rows else []
    return {
        **_head(section),
        "columns": [one_line(str(name), 80) for name in columns],
        "rows": [[_cell(row.get(name)) for name in columns] for row in rows[:MOST_ROWS]],
        "cut": len(rows) > MOST_ROWS,
    }


def _drawn(section: Section, document: Mapping[str, Any]) -> Document:
    """Its blocks, which begin with a heading, and what it says in short."""
    given = copied(document)
    blocks = blocks_of(section, given)
    title = one_line(section.title, 120)
    if title and blocks and not isinstance(blocks[0], Heading):
        blocks.insert(0, Heading(title))
    short = short_of(section, given)
    return {"blocks": list(map(to_json, blocks)), "in_short": list(map(to_json, short))}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return finite(float(value))
    return one_line(str(value), 300)
