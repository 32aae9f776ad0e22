"""What the run has to remark, what this report lacks, and what to do next."""

from __future__ import annotations

from harness.kit.text import markdown_block, one_line
from harness_reports import findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import bullets, more, safe, section, table

NOTES = 10


def sections(document: Document) -> list[str]:
    return [_notes(document), _failed(document), _remedies(document), _next(document)]


def _notes(document: Document) -> str:
    notes = document["notes"]
    if not notes:
        return ""
    told = bullets(safe(note, 600) for note in notes[:NOTES])
    return section("Notes", told, more(len(notes) - NOTES))


def _failed(document: Document) -> str:
    failed = findings.failed(document)
    if not failed:
        return ""
    told = bullets(f"{safe(what)}: {safe(why, 300)}" for what, why in failed)
    return section("Not in this report", "These parts of the analysis failed.", told)


def _remedies(document: Document) -> str:
    remedies = findings.remedies(document)
    if not remedies:
        return ""
    shown = table(
        ["", "remedy", "worth", "cured by data", "why"],
        (
            [
                str(place),
                safe(remedy["remedy"]),
                findings.worth(remedy),
                "yes" if remedy["by_data"] else "no",
                safe(remedy["why"], 240),
            ]
            for place, remedy in enumerate(remedies[: findings.SHOWN], 1)
        ),
        right=(0,),
    )
    about = "By what it may be worth; no remedy cures all that it is for."
    left_out = more(len(remedies) - findings.SHOWN, "worth less")
    return section("What to do", about, shown, left_out)


def _next(document: Document) -> str:
    command = one_line(document["next_command"], 2_000)
    return f"Next:\n\n{markdown_block(command)}" if command else ""
