"""``harness data check``: everything that would go wrong with rows, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from harness_rows.commands.data.findings import Finding
    from harness_rows.commands.data.opening import Opened

BAD_DATA = 4
STYLES = {"problem": "red", "note": "yellow"}


@takes(Request)
def check(request: Request) -> int:
    """Everything that would go wrong, in one pass.

    Exit code 4 if there is a problem, 0 if there are notes alone.

    `harness check` validates a config and says whether its run can begin.
    """
    from harness_rows.commands.data import checking, fitting
    from harness_rows.commands.data.lengths import measured
    from harness_rows.commands.data.opening import opened
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.progress import working

    with working("data check") as begin:
        found = opened(request, begin)
        listed = list(checking.findings(found, begin))
        if found.rows:
            listed += fitting.findings(measured(found, request, begin))
    listed.sort(key=lambda one: one.level != "problem")
    answer(request, _document(found, listed), lambda console: _show(found, listed, console))
    return BAD_DATA if any(one.level == "problem" for one in listed) else 0


def _document(found: Opened, listed: Sequence[Finding]) -> dict[str, Any]:
    return {
        "data": found.where,
        "format": found.said,
        "rows": len(found.rows),
        "splits": _splits(found),
        "findings": [asdict(one) for one in listed],
    }


def _splits(found: Opened) -> dict[str, int]:
    from harness import SPLITS

    counts = Counter(str(row.split) for row in found.rows)
    return {name: counts[name] for name in (*SPLITS, "") if counts[name]}


def _show(found: Opened, listed: Sequence[Finding], console: Console) -> None:
    from rich.text import Text

    from harness.kit.text import one_line
    from harness.terminal import tables
    from harness_rows.commands.data.printing import set_in

    for one in listed:
        head = Text.assemble(
            (f"{one.level}: ", f"bold {STYLES[one.level]}"), one_line(one.what, 800)
        )
        console.print(head, highlight=False)
        below = [", ".join(one_line(place, 120) for place in one.places)] if one.places else []
        more = ", …" if below and one.count > len(one.places) else ""
        for line in [*(f"{text}{more}" for text in below), *([f"-> {one.hint}"] * bool(one.hint))]:
            set_in(console, Text(line, "dim"))
    tables.note(console, _sentence(found, listed), "bold")


def _sentence(found: Opened, listed: Sequence[Finding]) -> str:
    from harness_rows.commands.data.findings import counted

    problems = sum(one.level == "problem" for one in listed)
    notes = len(listed) - problems
    parts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((problems, "problem"), (notes, "note"))
        if count
    ]
    splits = _splits(found)
    named = ", ".join(f"{count:,} {name or 'without a split'}" for name, count in splits.items())
    rows = counted(len(found.rows)) + (f" ({named})" if set(splits) - {""} else "")
    return f"{found.where}: {', '.join(parts) or 'nothing found'}; {rows}."
