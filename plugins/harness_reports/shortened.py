"""What reports show that fold nothing away and draw nothing: text, and Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness import Analysis
from harness.kit.blocks import Answers, Block, Chart, Details, Heading, of_sections


def shortened(document: Analysis, examples: int) -> Iterator[Block]:
    """The blocks without details and without drawings whose figures a table has.

    Headings of nothing go, too.

    Args:
        examples: how many answers are compared with their references.
    """
    waiting: list[Heading] = []
    for block in of_sections(document):
        if isinstance(block, Answers) and block.reference == "marked":
            most = examples if block.short is None else min(examples, block.short)
            block = dataclasses.replace(block, samples=block.samples[:most])
        if isinstance(block, Heading):
            waiting = [heading for heading in waiting if heading.level < block.level]
            waiting.append(block)
        elif not _is_left_out(block):
            yield from waiting
            waiting = []
            yield block


def _is_left_out(block: Block) -> bool:
    drawn = isinstance(block, Chart) and block.redundant
    return drawn or isinstance(block, Details) or (isinstance(block, Answers) and not block.samples)
