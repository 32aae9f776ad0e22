"""Two systems side by side, a row for each score: what ``score`` and ``compare`` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from harness.kit.blocks import Column, Table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.tables import note, number
from harness.kit.text import one_line

WIDE = 96
"""Columns from which caveats stand beside names and numbers have all their places; in narrower
terminals marks stand for caveats, and numbers have a place less."""
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

    name: str
    before: float | None
    after: float | None
    comparison: Mapping[str, Any]
    caveat: str
    scale: float


def draw_comparison(
    scores: Sequence[ComparedScore], titles: Sequence[str], console: Console
) -> None:
    """Print the table; where it is narrow, p and then the value before are left out first.

    Both follow from what stays: the label says what p decides, and the difference is of two values.

    Args:
        titles: of the values before and after, their difference, and p.
    """
    wide = console.width >= WIDE
    fewer = 0 if wide else 1
    counts = "better/same/worse" if wide else "better/ same/worse"
    before, after, difference, p = titles
    columns = (
        Column("score"), Column(before, "number", spare=1), Column(after, "number"),
        Column(difference, "number"), Column("95 % interval", "number"),
        Column(p, "number", spare=2), Column(counts, "number"), Column("", "label"),
    )  # fmt: skip
    rows = tuple(
        (
            f"{score.name}{beside(score.caveat, short=not wide)}",
            number(score.before, score.scale, fewer=fewer),
            number(score.after, score.scale, fewer=fewer),
            number(score.comparison["difference"], score.scale, sign=True, fewer=fewer),
            interval(
                score.comparison["low"], score.comparison["high"], score.scale, sign=True,
                fewer=fewer,
            ),
            p_value(score.comparison["p"]),
            f"{score.comparison['wins']:,}/{score.comparison['ties']:,}"
            f"/{score.comparison['losses']:,}",
            score.comparison["label"],
        )
        for score in scores
    )  # fmt: skip
    draw_rows(Table(columns, rows, "two systems side by side"), console)
    if not wide:
        explain_marks((score.caveat for score in scores), console)


def beside(caveat: str, *, short: bool = False) -> str:
    """What stands behind a score's name: its caveat, or a mark in place of it."""
    if not caveat:
        return ""
    return " *" if short else f" ({one_line(caveat, CAVEAT)})"


def explain_marks(caveats: Iterable[str], console: Console) -> None:
    """What the marks beside names stand for, below the table."""
    lines = [f"* {one_line(caveat, CAVEAT)}" for caveat in dict.fromkeys(caveats) if caveat]
    if lines:
        note(console, "; ".join(lines), "dim")


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
