"""All sections of a report, ours and those of plugins, in their order: what there is to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from harness.kit.blocks import Block, Chart, Details, Heading, from_json, of_rows
from harness_reports.document import complete
from harness_reports.figures import Document
from harness_reports.sections import (
    advice,
    closing,
    data,
    errors,
    general,
    headline,
    levers,
    prompts,
    rounds,
    search,
    slices,
    targeted,
    verdict,
)
from harness_reports.sections.examples import Examples, examples
from harness_reports.sections.headline import Gains

__all__ = ["Examples", "Gains", "Shown", "first", "of_plugins", "sections", "short"]

Shown: TypeAlias = Block | Examples | Gains
FIRST: Sequence[Callable[[Document], Iterator[Shown]]] = (
    headline.short_verdict, advice.advice, headline.scores, targeted.in_short, prompts.in_short,
    levers.in_short,
    headline.gains, headline.origin_in_short, closing.next_in_short,
)  # fmt: skip
"""The sections of a short report."""
PARTS: Mapping[str, Sequence[Callable[[Document], Iterator[Shown]]]] = {
    "verdict": (
        verdict.blocks, advice.advice, rounds.rounds, prompts.prompts, levers.levers,
        search.search,
        targeted.targeted,
        headline.gains, headline.origin, rounds.test_set, rounds.scores,
        general.general,
    ),
    "weak": (slices.slices, slices.changes),
    "errors": (errors.kinds, errors.causes),
    "examples": (examples,),
    "data": (data.near, data.added, data.control, data.training),
    "closing": (
        closing.notes, closing.failed, closing.remedies, closing.appendix, closing.next_commands,
    ),
}  # fmt: skip
"""Part of a report -> its sections; a section of a plugin follows one of them."""
CLOSING = "closing"
USUAL = "data"
"""What a section of a plugin follows that does not say it."""


def sections(document: Mapping[str, Any]) -> Iterator[Shown]:
    """The whole report; a document may lack any key."""
    full = complete(document)
    for place, parts in PARTS.items():
        for part in parts:
            yield from part(full)
        yield from of_plugins(full, place)


def first(document: Mapping[str, Any]) -> Iterator[Shown]:
    """The short report: what a reader came for."""
    full = complete(document)
    for part in FIRST:
        yield from part(full)


def short(blocks: Iterable[Shown]) -> Iterator[Shown]:
    """What a report shows that folds nothing away and draws nothing.

    Details and drawings whose figures a table has go, and so do headings of nothing.
    """
    waiting: list[Heading] = []
    for block in blocks:
        if isinstance(block, Heading):
            waiting = [one for one in waiting if one.level < block.level]
            waiting.append(block)
        elif not (isinstance(block, Details) or (isinstance(block, Chart) and block.told)):
            yield from waiting
            waiting = []
            yield block


def of_plugins(document: Document, place: str) -> Iterator[Block]:
    """What the sections of plugins say that follow a part of ours."""
    for section in document.get("sections") or ():
        after = section.get("after")
        if (after if after in PARTS and after != CLOSING else USUAL) == place:
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
