"""Sections: what they say, in the analysis and, if they always do, in every report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.lending import copies
from harness.errors import EnvironmentFailure, HarnessError, Waiting
from harness.registry import Registry
from harness.report.reading import Document
from harness.stages import Section
from harness.stages.reporting import drawn, entry_of, head

SectionGuard = Callable[[Section], AbstractContextManager[None]]


def unguarded(section: Section) -> AbstractContextManager[None]:
    return plainly(f"section '{section.name}'")


def made(
    sections: Sequence[Section], document: Document, database: Path, failed: dict[str, str],
    guard: SectionGuard,
) -> list[Document]:  # fmt: skip
    """What the sections of a config say; one that fails is named under ``failed``."""
    entries: list[Document] = []
    for section in sections:
        try:
            with guard(section):
                entry = entry_of({**document, "sections": entries}, section, database)
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
    extended = {**document, "failed": dict(document["failed"])}
    entries: list[Document] = []
    copy_of = copies(extended)
    for kind, origin in sorted(always, key=lambda section: section[0].order):
        try:
            with plainly(f"section '{kind.name}' from {origin}"):
                entry = {**head(kind()), **drawn(kind(), copy_of())}
        except HarnessError as error:
            extended["failed"][kind.name] = error.what
            copy_of = copies(extended)
            continue
        entries.append(entry)
    return {**extended, "sections": sorted([*named, *entries], key=lambda entry: entry["order"])}
