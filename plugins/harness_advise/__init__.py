"""``harness advise``, and its section of reports: which lever is worth its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import harness
from harness.kit.blocks import Block


class AdviceSection(harness.Section):
    """Levers by expected gain for their cost, with the evidence for each."""

    name = "advise"
    title = "What to do next"
    always: ClassVar[bool] = True

    def blocks(self, document: Mapping[str, Any]) -> Iterator[Block]:
        """See :meth:`harness.Section.blocks`."""
        from harness_advise.ranking import ranked
        from harness_advise.showing import blocks

        yield from blocks(ranked(document))


@harness.hookimpl
def register_sections() -> list[type[harness.Section]]:
    """See :meth:`harness.hookspecs.Hooks.register_sections`."""
    return [AdviceSection]
