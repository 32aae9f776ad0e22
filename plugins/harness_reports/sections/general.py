"""General text and instructions beside the task: whether training made the model worse at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import Analysis
from harness.kit.blocks import Block, Bullets, Column, Heading, Note, Paragraph, Table
from harness.kit.numbers import DASH, number, perplexity
from harness.records.summary import ShownForgetting
from harness_reports import figures, findings
from harness_reports.sections import box
from harness_reports.sections.common import ReportSection

SENTENCES = 3
"""Rounds in words that a short report shows."""


class GeneralSection(ReportSection):
    """Loss per token before and after each training, and answers to instructions.

    In words only of the rounds that the box does not speak of.
    """

    name = "general"
    title = "General text"
    order = 1100

    def blocks(self, document: Analysis) -> Iterator[Block]:
        measured = {e.round: e.forgetting for e in document.rounds if e.forgetting}
        if not measured:
            return
        latest = measured[max(measured)]
        remark = f"loss per token on {latest.texts} texts that have nothing to do with the task"
        yield Heading(self.title, remark)
        yield _table(document, measured)
        in_box = findings.later_round(document).round
        sentences = tuple(
            Paragraph(box.words(measured[at]), lead=f"Round {at}:")
            for at in reversed(measured) if at != in_box
        )  # fmt: skip
        if sentences:
            yield Bullets(sentences, short=SENTENCES, rest="of other rounds")
        yield Note(
            f"Each round's model beside the base model{_level(latest)}. No "
            "result of the task: a loss says how well text is predicted, not how good answers are."
        )


def _level(loss: ShownForgetting) -> str:
    """``, each bound at 97.5 %, over 20 groups of texts``."""
    return f", each bound at {100 * loss.level:.4g} %, over {loss.groups} groups of texts"


def _table(document: Analysis, measured: Mapping[int, ShownForgetting]) -> Table:
    columns = (
        Column("round", "word"), Column("loss before", "number"), Column("after", "number"),
        Column("difference", "number", strong=True), Column("bounds", "number"),
        Column("perplexity", "number", spare=2), Column("instructions right", "word", spare=1),
    )  # fmt: skip
    rows = []
    for at, forgetting in measured.items():
        asked = forgetting.instructions
        right = f"{asked.right_before} of {asked.asked}, then {asked.right_after}"
        rows.append((
            figures.round_name(at, document),
            number(forgetting.loss_before), number(forgetting.loss_after),
            *figures.change_cells(forgetting),
            f"{perplexity(forgetting.loss_before)}, then {perplexity(forgetting.loss_after)}",
            right if asked.asked else DASH,
        ))  # fmt: skip
    return Table(columns, tuple(rows), "General text by round", ordered=True)
