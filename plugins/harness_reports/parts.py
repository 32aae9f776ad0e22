"""Where sections of plugins stand among ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.kit.blocks import Block, Heading, from_json, of_rows
from harness_reports.figures import Document

PLACES = ("verdict", "weak", "errors", "examples", "data", "closing")
"""Our parts of a report, in their order."""
USUAL = "data"
"""What a section follows that does not say it."""


def of_plugins(document: Document, place: str) -> Iterator[Block]:
    """What the sections of plugins say that follow a part of ours."""
    for section in document.get("sections") or ():
        after = section.get("after")
        if (after if after in PLACES[:-1] else USUAL) == place:
            yield from _blocks(section)


def _blocks(section: dict[str, Any]) -> Iterator[Block]:
    title = section.get("title") or ""
    if "blocks" not in section:
        columns, rows = section.get("columns") or (), section.get("rows") or ()
        yield from of_rows(title, columns, rows, bool(section.get("cut")))
        return
    blocks = list(map(from_json, section["blocks"]))
    if not (blocks and isinstance(blocks[0], Heading)):
        yield Heading(title)
    yield from blocks
