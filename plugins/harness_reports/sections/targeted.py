"""Where the added rows helped: the slices that got some, before and after, the best first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness import Analysis
from harness.kit import terms
from harness.kit.blocks import Block, Column, Heading, Note, Paragraph, Table
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import counted, number
from harness.kit.text import one_line
from harness_reports.sections.common import ReportSection
from harness_reports.targets import Missed, Target, by_gain, missed

SHOWN = 8
"""Slices of the short report."""
NAMED = 3
"""Slices without rows that a sentence names."""
SLICE = 60
TITLE = "What was weak, and what was added"
CHANCE = (
    "A slice got rows because its score was low, and the largest rise comes first, so part of a "
    "rise may be chance. The verdict is of the whole round, over all of dev."
)


class TargetedSection(ReportSection):
    """Where the added rows helped: all slices that got some; the first of them in short."""

    name = "targeted"
    title = TITLE
    order = 300

    def blocks(self, document: Analysis) -> Iterator[Block]:
        yield from _blocks(document, None)

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The slices whose score rose most after rows were added for them, and how many more."""
        yield from _blocks(document, SHOWN)


def _blocks(document: Analysis, most: int | None) -> Iterator[Block]:
    targets, without = by_gain(document), missed(document)
    slices = [target for target in targets if target.slice]
    if not targets and not without:
        return
    if not slices:
        yield Heading(TITLE)
        yield Paragraph(_untargeted(document, targets, without))
        return
    primary = score_title(document, document.primary, 20)
    yield Heading(TITLE, f"{primary} there, the best first")
    digits = score_digits(document, document.primary)
    columns = (
        Column("slice"), Column("dev rows", "number", spare=1),
        Column("added of planned", "word", "right"), Column("before", "number"),
        Column("after", "number", strong=True), Column("rounds", "word"),
        Column("round's verdict", "label"),
    )  # fmt: skip
    rows = tuple(_row(target, digits) for target in slices)
    yield Table(columns, rows[:most], "Rows added by slice, and its score", ordered=True)
    if beyond := len(rows) - len(rows[:most]):
        yield Note(f"and {counted(beyond, 'more slice')}")
    yield Note(CHANCE)
    if without:
        yield Note(no_rows_words(without))


def _row(target: Target, digits: int) -> tuple[str | int | None, ...]:
    planned = f" of {target.planned}" if target.planned else ""
    return (
        one_line(target.slice, SLICE), target.n, f"{target.rows}{planned}",
        number(target.before, digits), number(target.now, digits),
        f"{target.source} → {target.after + 1}", target.label,
    )  # fmt: skip


def _untargeted(document: Analysis, targets: list[Target], without: list[Missed]) -> str:
    """Where all rows were drawn from all data: why, and how many."""
    counts = ", ".join(
        f"{target.rows} after round {target.after} (round {target.after + 1}: {target.label})"
        for target in sorted(targets, key=lambda target: target.after)
    )
    drawn = f"rows were drawn from {terms.shown('key', 'everywhere')}: {counts}."
    if without:
        rows = f"R{drawn[1:]}" if targets else "No rows were added at all."
        return f"{underperformed(without)}. {rows}"
    if any(entry.strategy == "random" for entry in document.rounds):
        return f"By plan.strategy random, {drawn}"
    return f"No slice underperformed by more than chance, so that {drawn}"


def underperformed(without: list[Missed]) -> str:
    """``1 slice underperformed by more than chance, but no rows were added for it: …``."""
    many = len(without) > 1
    slices, them = (f"{len(without)} slices", "them") if many else ("1 slice", "it")
    head = f"{slices} underperformed by more than chance, but no rows were added for {them}"
    return f"{head}: {missed_words(without)}"


def no_rows_words(without: list[Missed]) -> str:
    """``No rows were added for …. No more rows were added for … (after round 2: …).``"""
    never = [miss for miss in without if not miss.had_rows]
    later = [
        dataclasses.replace(miss, why=f"after round {miss.after}: {miss.why}")
        for miss in without if miss.had_rows
    ]  # fmt: skip
    groups = (("No rows", never), ("No more rows", later))
    return " ".join(f"{rows} were added for {missed_words(of)}." for rows, of in groups if of)


def missed_words(without: list[Missed]) -> str:
    """The slices, each with the reason why no rows were added for it."""
    named = "; ".join(f"{one_line(miss.slice, SLICE)} ({miss.why})" for miss in without[:NAMED])
    return named + (f"; and {len(without) - NAMED} more" if len(without) > NAMED else "")
