"""What was asked of models behind servers, and what that cost."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Analysis
from harness.kit.blocks import Block, Column, Heading, Note, Paragraph, Table
from harness.kit.numbers import amount, counted
from harness_reports.sections.common import ReportSection


class CostsSection(ReportSection):
    """Requests, tokens and money of each stage."""

    name = "costs"
    title = "Requests to servers"
    order = 2150

    def blocks(self, document: Analysis) -> Iterator[Block]:
        asked = document.requests
        if not asked:
            return
        yield Heading(self.title)
        columns = (
            Column("what for", "word"), Column("model"), Column("requests", "number"),
            Column("tokens in", "number"), Column("tokens out", "number"),
            Column("money", "number"),
        )  # fmt: skip
        rows = tuple(
            (
                cost.stage, cost.model, cost.requests, cost.prompt_tokens,
                cost.answer_tokens, "" if cost.money is None else amount(cost.money),
            )
            for cost in asked
        )  # fmt: skip
        yield Table(columns, rows, self.title)
        open_ = sum(cost.open for cost in asked)
        if open_:
            yield Note(
                f"The usage of {counted(open_, 'request')} is not known; each counts at the most "
                "that it can cost, and its tokens are not in the table."
            )

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The money in one line, where a price is known."""
        asked = document.requests
        spent = sum(cost.money or 0.0 for cost in asked)
        if spent:
            requests = counted(sum(cost.requests for cost in asked), "request")
            yield Paragraph(f"{self.title}: {requests}, {amount(spent)} of money.")
