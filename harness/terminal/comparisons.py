"""Two systems side by side, a row for each score: what ``score`` and ``compare`` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.kit.text import one_line
from harness.terminal.progress import COLOURS
from harness.terminal.tables import number, table

CAVEATS_FIT = 96
"""Columns from which caveats stand beside names; in narrower terminals, marks do."""
COUNTS = "better/same/worse"
CAVEAT = 40
"""Characters of a caveat."""


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """A row: one score of both systems.

    Attributes:
        name: as it is shown, with the mark of its direction but without its caveat.
        before, after: its values.
        comparison: its :class:`harness.Comparison`, as a mapping.
        caveat: what stands beside the score wherever it is shown, or empty.
        scale: the greatest value of its kind, which decides the decimal places.
    """

    name: Text
    before: float | None
    after: float | None
    comparison: Mapping[str, Any]
    caveat: str
    scale: float


def comparison_table(scores: Sequence[ComparedScore], titles: Sequence[str], width: int) -> Table:
    """The table; where it is narrow, caveats become marks and the counts of rows may be left out.

    Args:
        titles: of the values before and after, their difference, and p.
        width: of the terminal, in columns.
    """
    wide = width >= CAVEATS_FIT
    *values, p = titles
    numbers = [*values, "95 % interval", p, COUNTS]
    shown = table("score", *numbers, "", right=numbers, spare=[COUNTS])
    for score in scores:
        one, scale = score.comparison, score.scale
        shown.add_row(
            Text.assemble(score.name, (beside(score.caveat, short=not wide), "yellow")),
            number(score.before, scale),
            number(score.after, scale),
            number(one["difference"], scale, sign=True),
            interval(one["low"], one["high"], scale, sign=True),
            p_value(one["p"]),
            f"{one['wins']:,}/{one['ties']:,}/{one['losses']:,}",
            Text(one["label"], style=COLOURS.get(one["label"], "")),
        )
    if not wide:
        explain_marks(shown, (score.caveat for score in scores))
    return shown


def beside(caveat: str, *, short: bool = False) -> str:
    """What stands behind a score's name: its caveat, or a mark in place of it."""
    if not caveat:
        return ""
    return " *" if short else f" ({one_line(caveat, CAVEAT)})"


def explain_marks(shown: Table, caveats: Iterable[str]) -> None:
    """What the marks beside names stand for, below the table."""
    lines = [f"* {one_line(caveat, CAVEAT)}" for caveat in dict.fromkeys(caveats) if caveat]
    if lines:
        shown.caption, shown.caption_justify = Text("; ".join(lines)), "left"


def interval(low: float | None, high: float | None, scale: float, *, sign: bool = False) -> str:
    """``+0.0437 to +0.0805``; a dash where there is none."""
    if low is None or high is None:
        return "-"
    return f"{number(low, scale, sign=sign)} to {number(high, scale, sign=sign)}"


def p_value(value: float | None) -> str:
    """``.042``; a dash where there is none."""
    if value is None:
        return "-"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
