"""Where the model is weak, and what the rounds fixed and broke."""

from __future__ import annotations

from harness.kit import numbers
from harness.kit.numbers import interval, number
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import more, safe, section, table


def sections(document: Document) -> list[str]:
    return [_slices(document), _changes(document)]


def _slices(document: Document) -> str:
    at, held, others = findings.weak(document)
    if not held and not others:
        return ""
    digits = figures.score_digits(document, document["primary"])
    shown = held[: findings.SHOWN]
    kinds = [findings.slice_kinds(document, at, piece["slice"]) for piece in shown]
    apart = ["commonest errors"] if any(kinds) else []
    found = table(
        ["slice", "rows", "gap", "95 % interval", *apart],
        (
            [
                safe(findings.slice_name(piece, 120)),
                number(piece["n"], 0),
                number(piece["gap"], digits),
                interval(piece["low"], piece["high"], digits),
                *([safe(common)] if apart else []),
            ]
            for piece, common in zip(shown, kinds, strict=True)
        ),
        right=(1, 2),
    )
    score = safe(figures.score_title(document, document["primary"], 160), 220)
    about = f"Round {at}; the gap is how far {score} lies below all other rows."
    perhaps = ", ".join(
        f"{safe(findings.slice_name(piece, 80))} ({number(piece['gap'], digits)})"
        for piece in others[: findings.SHOWN]
    )
    return section(
        "Weak places",
        about,
        found if shown else "None that holds: no slice is weak by more than chance.",
        more(len(held) - len(shown), "with smaller gaps"),
        f"Perhaps, but no more than chance would show: {perhaps}." if perhaps else "",
        more(len(others) - findings.SHOWN),
    )


def _changes(document: Document) -> str:
    ledger, rows = findings.ledger(document), findings.changes(document)
    remark = findings.rightness(document)
    if not ledger and not rows:
        unknown = document.get("tables") and document.get("right_at") is None
        return section("Fixed and broken", f"{safe(remark)}.") if unknown else ""
    wanted = {entry["round"] for entry in figures.shown_rounds(document, findings.SHOWN + 1)}
    courses = table(
        [safe(kind, 30) for kind, _ in ledger], [[str(n) for _, n in ledger]], range(len(ledger))
    )
    by_round = table(
        ["round", "against", "right", "fixed", "broken"],
        (
            [
                figures.round_name(row, document),
                numbers.DASH if row["against"] is None else str(row["against"]),
                f"{row['right']} of {row['judged']}",
                str(row["fixed"]),
                str(row["broken"]),
            ]
            for row in rows
            if row["round"] in wanted
        ),
        right=(2, 3, 4),
    )
    return section(
        "Fixed and broken",
        f"What became of each dev row over all rounds; {safe(remark)}.",
        courses if ledger else "",
        by_round if rows else "",
    )
