"""Which answers pass, and what became of each dev row over the rounds."""

from __future__ import annotations

import re

from harness_reports.figures import Document
from harness_reports.findings import later_round, table

COURSES = ("fixed", "regressed", "always pass", "never pass", "flaky")


def ledger(document: Document) -> list[tuple[str, int]]:
    """What became of each dev row, in a fixed order."""
    counts = {row["kind"]: row["answers"] for row in table(document, "ledger")}
    names = [*(name for name in COURSES if name in counts), *sorted(set(counts) - set(COURSES))]
    return [(name, counts[name]) for name in names if counts[name]]


def changes(document: Document) -> list[Document]:
    """``round``, ``against``, ``right``, ``judged``, ``fixed`` and ``broken`` of each round.

    A round that changed nothing has no row in the table: its counts are 0, not unknown.
    """
    by_round = {row["round"]: row for row in table(document, "changes")}
    rights = {row["round"]: row for row in table(document, "right")}
    is_there = "changes" in (document.get("tables") or {})
    rows: list[Document] = []
    for entry in document["rounds"][1:]:
        at, right = entry["round"], rights.get(entry["round"])
        against = re.search(r"\d+", str(entry["verdict"]["against"]))
        if right is None or not is_there or not right["is_right"] + right["wrong"]:
            continue
        counts = by_round.get(at, {"fixed": 0, "broken": 0})
        rows.append(
            {
                "round": at,
                "against": counts.get("against", int(against[0][:9]) if against else None),
                "right": right["is_right"],
                "judged": right["is_right"] + right["wrong"],
                "fixed": counts["fixed"],
                "broken": counts["broken"],
            }
        )
    return rows


def pass_rate(document: Document) -> str:
    """``29 of 160 dev answers pass (base model: 3)``, or nothing where that is not known."""
    rows = {row["round"]: row for row in table(document, "right")}
    at = later_round(document)["round"]
    now = rows.get(at)
    judged = now["is_right"] + now["wrong"] if now else 0
    if not now or not judged:
        return ""
    base = rows.get(0) if at else None
    before = f" (base model: {base['is_right']})" if base else ""
    return f"{now['is_right']} of {judged} dev answers pass{before}"


def wrong(document: Document) -> int | None:
    """Failing answers of the best round; None where nothing tells."""
    rows = [r for r in table(document, "right") if r["round"] == document["kept_round"]]
    return rows[0]["wrong"] if rows else None
