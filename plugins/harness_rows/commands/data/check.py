"""``harness data check``: everything that would go wrong with rows, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from harness_rows.commands.data.findings import Finding
    from harness_rows.commands.data.opening import OpenedRows

BAD_DATA = 4
STYLES = {"problem": "red", "warning": "yellow", "note": "yellow"}


@takes(Request)
def check(request: Request) -> int:
    """Everything that would go wrong, in one pass.

    Exit code 4 if there is a problem, 0 if there are warnings and notes alone.

    `harness check` validates a config and says whether its run can begin.
    """
    from harness_rows.commands.data import checking, fitting, scorable
    from harness_rows.commands.data.lengths import measured
    from harness_rows.commands.data.opening import opened
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.progress import working

    with working("data check") as begin:
        data = opened(request, begin)
        findings = list(checking.findings(data, begin))
        if data.rows:
            findings += scorable.findings(data, begin)
            findings += fitting.findings(measured(data, request, begin))
    findings.sort(key=lambda finding: finding.level != "problem")
    answer(request, data, _document(data, findings), lambda console: _show(data, findings, console))
    return BAD_DATA if any(finding.level == "problem" for finding in findings) else 0


def _document(data: OpenedRows, findings: Sequence[Finding]) -> dict[str, Any]:
    from harness_rows.commands.data.findings import by_split

    return {
        "rows": len(data.rows),
        "splits": by_split(data.rows),
        "findings": [asdict(finding) for finding in findings],
    }


def _show(data: OpenedRows, findings: Sequence[Finding], console: Console) -> None:
    from rich.text import Text

    from harness.kit.terminal import tables
    from harness.kit.text import one_line
    from harness_rows.commands.data.printing import set_in

    for finding in findings:
        head = Text.assemble(
            (f"{finding.level}: ", f"bold {STYLES[finding.level]}"), one_line(finding.what, 800)
        )
        console.print(head, highlight=False)
        if finding.places:
            places = [one_line(place, 120) for place in finding.places]
            more = ["…"] if finding.count > len(places) else []
            set_in(console, Text(", ".join([*places, *more]), "dim"))
        if finding.hint:
            set_in(console, Text(f"-> {finding.hint}", "dim"))
    tables.note(console, _sentence(data, findings), "bold")


def _sentence(data: OpenedRows, findings: Sequence[Finding]) -> str:
    from harness_rows.commands.data.findings import by_split, counted

    problems = sum(finding.level == "problem" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    notes = len(findings) - problems - warnings
    parts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((problems, "problem"), (warnings, "warning"), (notes, "note"))
        if count
    ]
    splits = by_split(data.rows)
    named = ", ".join(f"{count:,} {name or 'without a split'}" for name, count in splits.items())
    rows = counted(len(data.rows)) + (f" ({named})" if set(splits) - {""} else "")
    return f"{data.where}: {', '.join(parts) or 'nothing found'}; {rows}."
