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

WIDE = 96
"""Columns from which caveats stand beside names and numbers have all their places; in narrower
terminals marks stand for caveats, and numbers have a place less."""
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
    """The table; where it is narrow, p and then the value before are left out first.

    Both follow from what stays: the label says what p decides, and the difference is of two values.

    Args:
        titles: of the values before and after, their difference, and p.
        width: of the terminal, in columns.
    """
    wide = width >= WIDE
    fewer = 0 if wide else 1
    before, after, difference, p = titles
    counts = COUNTS if wide else COUNTS.replace("/", "/\n", 1)
    numbers = [before, after, difference, "95 % interval", p, counts]
    shown = table("score", *numbers, "", right=numbers, spare=[p, before])
    for score in scores:
        one, scale = score.comparison, score.scale
        shown.add_row(
            Text.assemble(score.name, (beside(score.caveat, short=not wide), "yellow")),
            number(score.before, scale, fewer=fewer),
            number(score.after, scale, fewer=fewer),
            number(one["difference"], scale, sign=True, fewer=fewer),
            interval(one["low"], one["high"], scale, sign=True, fewer=fewer),
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


def interval(
    low: float | None, high: float | None, scale: float, *, sign: bool = False, fewer: int = 0
) -> str:
    """``+0.0437 to +0.0805``; a dash where there is none. ``fewer`` as in ``number``."""
    if low is None or high is None:
        return "-"
    ends = (number(end, scale, sign=sign, fewer=fewer) for end in (low, high))
    return " to ".join(ends)


def p_value(value: float | None) -> str:
    """``.042``; a dash where there is none."""
    if value is None:
        return "-"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
