"""What is wrong with the answers, and why."""

from __future__ import annotations

from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import bullets, more, safe, section, table


def sections(document: Document) -> list[str]:
    return [_kinds(document), _causes(document)]


def _kinds(document: Document) -> str:
    kinds, rest = findings.shown_kinds(document)
    if not kinds:
        return ""
    shown = figures.shown_rounds(document, 6)
    by_round = table(
        ["kind", *(figures.round_name(entry, document) for entry in shown)],
        (
            [safe(kind.name, 60), *(str(kind.by_round.get(e["round"], 0)) for e in shown)]
            for kind in kinds
        ),
        right=range(1, len(shown) + 1),
    )
    told = (
        f"{safe(kind.name, 60)}: {safe(kind.definition, 160)}" for kind in kinds if kind.definition
    )
    return section(
        "Errors on dev",
        "Answers that show each kind, by round.",
        by_round,
        f"{findings.left_out(rest).capitalize()}." if rest else "",
        bullets(told),
        safe(document.get("not_looked_for", ""), 300),
    )


def _causes(document: Document) -> str:
    causes = findings.causes(document)
    if not causes:
        return ""
    shown = causes[: findings.SHOWN]
    found = table(
        ["cause", "answers", "what it means", "remedy", "cured by data", "such as"],
        (
            [
                safe(cause.name, 60),
                str(cause.answers),
                safe(cause.definition),
                safe(cause.remedy),
                "yes" if cause.by_data else "no",
                ", ".join(safe(name, 60) for name in cause.ids[:3]),
            ]
            for cause in shown
        ),
        right=(1,),
    )
    return section(
        "Likeliest causes",
        f"Round {document['kept_round']}: {findings.explained(document)}.",
        found,
        more(len(causes) - len(shown), "rarer"),
    )
