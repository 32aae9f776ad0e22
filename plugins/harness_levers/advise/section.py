"""The section of reports that advises what to do next."""

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
        from harness_levers.advise.ranking import ranked
        from harness_levers.advise.showing import blocks

        yield from blocks(ranked(document))
