"""Which answers pass, and what became of each dev row over the rounds."""

from __future__ import annotations

import re

from harness import Analysis
from harness.records.analysis import ChangeCount, CourseCount, RightCount
from harness_reports.findings import later_round

COURSES = ("fixed", "regressed", "always pass", "never pass", "flaky")


def ledger(document: Analysis) -> list[tuple[str, int]]:
    """What became of each dev row, in a fixed order."""
    counts = {row.kind: row.answers for row in document.rows(CourseCount)}
    names = [*(name for name in COURSES if name in counts), *sorted(set(counts) - set(COURSES))]
    return [(name, counts[name]) for name in names if counts[name]]


def changes(document: Analysis) -> list[tuple[RightCount, ChangeCount]]:
    """Of each trained round with judged dev rows: which pass, and what it fixed and broke.

    A round that changed nothing has no row in the table, and counts of 0 here.
    """
    if ChangeCount.table not in document.tables:
        return []
    by_round = {row.round: row for row in document.rows(ChangeCount)}
    rights = _rights(document)
    changes = []
    for entry in document.rounds[1:]:
        right = rights.get(entry.round)
        if right and right.is_right + right.wrong:
            named = re.search(r"\d+", entry.verdict.against)
            nothing = ChangeCount(entry.round, int(named[0][:9]) if named else None, 0, 0)
            changes.append((right, by_round.get(entry.round, nothing)))
    return changes


def pass_rate(document: Analysis) -> str:
    """``29 of 160 dev answers pass (base model: 3)``, or nothing where that is not known."""
    rights, at = _rights(document), later_round(document).round
    now = rights.get(at)
    judged = now.is_right + now.wrong if now else 0
    if not now or not judged:
        return ""
    base = rights.get(0) if at else None
    before = f" (base model: {base.is_right})" if base else ""
    return f"{now.is_right} of {judged} dev answers pass{before}"


def wrong(document: Analysis) -> int | None:
    """Failing answers of the best round; None where nothing tells."""
    right = _rights(document).get(document.kept_round)
    return right.wrong if right else None


def _rights(document: Analysis) -> dict[int, RightCount]:
    return {row.round: row for row in document.rows(RightCount)}
