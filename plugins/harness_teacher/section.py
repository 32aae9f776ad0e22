"""The section of reports on written rows: what one cost, and what they brought."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness import Analysis
from harness.kit.blocks import Block, Cell, Column, Heading, Note, Table
from harness.kit.documents import score_digits, written_rows
from harness.kit.numbers import DASH, amount, duration, estimate

INSTEAD = {"real": "as many real rows", "random": "as many for no slice", "none": "no rows"}
UNCOMPARED = (
    "Whether they were worth it is not compared: control: random on their entry trains on as many "
    "real rows beside them, control: none on no rows."
)


class WrittenRowsSection(harness.Section):
    """Tokens, money and time of a written row, and the gain over the control arm."""

    name = "written"
    title = "What written rows cost"
    order = 1850
    always = True

    def blocks(self, document: Analysis) -> Iterator[Block]:
        """See :meth:`harness.Section.blocks`."""
        cost = written_rows(document)
        if cost is None:
            return
        yield Heading(self.title, "of a row that was added, the refused ones included")
        columns = (
            Column("rows"), Column("added", "number"), Column("tokens", "number"),
            Column("money", "number"), Column("time", "number"),
            Column("what they brought", "word"),
        )  # fmt: skip
        control = document.control
        brought = "" if control is None else "not compared"
        if control is not None and control.difference is not None:
            digits = score_digits(document, document.primary)
            bounds = (control.difference, control.low, control.high)
            brought = estimate(*bounds, digits, plus=True)
        written: tuple[Cell, ...] = (
            f"by {', '.join(cost.by)}", cost.rows,
            DASH if cost.tokens is None else f"{cost.tokens:,.0f}",
            DASH if cost.money is None else amount(cost.money),
            DASH if cost.seconds is None else duration(cost.seconds), brought,
        )  # fmt: skip
        rows = [written]
        if control is not None:
            name = INSTEAD[control.instead]
            rows.append((name, DASH, DASH, DASH, DASH, "compared with"))
        yield Table(columns, tuple(rows), self.title)
        if control is None:
            yield Note(UNCOMPARED)
