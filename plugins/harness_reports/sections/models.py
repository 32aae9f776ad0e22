"""Other models beside the best round: whether it reaches them, and what their answers cost."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Analysis
from harness.kit.blocks import Block, Column, Heading, Paragraph, Table
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import amount
from harness.kit.text import one_line
from harness_reports import figures
from harness_reports.sections.common import ReportSection

NAMED = 3
"""Models that a short report tells of."""
NAME = 30
"""Characters of a name."""
_REACHED = {"improved": "yes", "regressed": "no"}
"""Nothing regressed where another model is better, so the labels of rounds would mislead."""


class ModelsSection(ReportSection):
    """A sentence for each model, and its score beside the best round's."""

    name = "models"
    title = "Other models"
    order = 410

    def blocks(self, document: Analysis) -> Iterator[Block]:
        models = document.models
        if not models:
            return
        yield Heading(self.title)
        for each in models:
            yield Paragraph(each.sentence)
        yield _table(document)
        for each in models:
            yield Paragraph(each.what, lead=f"{one_line(each.name, NAME)}:")

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The sentences."""
        models = document.models
        if models:
            yield Heading(self.title)
        for each in models[:NAMED]:
            yield Paragraph(each.sentence)


def _table(document: Analysis) -> Table:
    primary = document.primary
    digits = score_digits(document, primary)
    columns = (
        Column("model"), Column("on", "word"),
        Column(score_title(document, primary, 20), "number", strong=True),
        Column("95 % interval", "number", spare=2), Column("reached", "word"),
        Column("gain", "number"), Column("bounds", "number", spare=1),
        Column("1,000 cost", "number"),
    )  # fmt: skip
    rows = []
    for each in document.models:
        money = each.thousand.money if each.thousand else None
        rows.append((
            one_line(each.name, NAME), each.split,
            *figures.score_cells(each.scores.get(primary), digits),
            _REACHED.get(each.verdict.label, "not shown"),
            *figures.change_cells(each.verdict, digits),
            "" if money is None else amount(money),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "The best round against each model", ordered=True)
