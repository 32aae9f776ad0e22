"""``harness advise``, and its section of reports: which lever is worth its cost."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness import Analysis
from harness.kit.blocks import Block


class AdviceSection(harness.Section):
    """Levers by expected gain for their cost, with the evidence for each."""

    name = "advise"
    title = "What to do next"
    always = True

    def blocks(self, document: Analysis) -> Iterator[Block]:
        """See :meth:`harness.Section.blocks`."""
        from harness_levers.advise.ranking import ranked
        from harness_levers.advise.showing import blocks

        try:
            options = ranked(document)
        except harness.DataError:  # the section on all that was tried says so
            return
        yield from blocks(options)
