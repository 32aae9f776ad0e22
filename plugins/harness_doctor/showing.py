"""What ``harness doctor`` prints: sections, what is wrong, and a block for an issue."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

import harness
from harness.kit.privacy import Private
from harness.kit.text import markdown_block, one_line
from harness.terminal.tables import head, item, table
from harness_doctor.findings import Examination, Section, Trouble

SCHEMA = "harness.doctor/1"
_STYLES = {"problem": "bold red", "warning": "yellow"}
LONGEST = 2_000
"""Characters of one fact."""


def show(found: Examination, private: Private, console: Console) -> None:
    """All of it, for a person."""
    for section in found.sections:
        head(console, section.title)
        shown = table("", "")
        shown.show_header = False
        shown.columns[0].no_wrap = True
        for label, text in section.facts.items():
            shown.add_row(Text(label, style="dim"), Text(one_line(private.text(text), LONGEST)))
        console.print(shown)
    head(console, _verdict(found))
    for _, trouble in found.troubles:
        _show_trouble(trouble, private, console)
    head(console, "To paste into an issue")
    console.print()
    console.print(Text(block(found, private)), highlight=False, soft_wrap=True)


def _verdict(found: Examination) -> str:
    counts = {level: sum(one.level == level for _, one in found.troubles) for level in _STYLES}
    told = [f"{count} {level}{'s' * (count > 1)}" for level, count in counts.items() if count]
    return " and ".join(told) or "Nothing is wrong"


def _show_trouble(one: Trouble, private: Private, console: Console) -> None:
    what = one_line(private.text(one.what), LONGEST)
    line = Text.assemble((f"{one.level}: ", _STYLES[one.level]), what)
    console.print(line, highlight=False)
    item(console, f"why: {private.text(one.why)}")
    # Never broken, so that it can be copied.
    cure = Text.assemble(("  cure: ", "green"), one_line(private.text(one.cure), LONGEST))
    console.print(cure, highlight=False, soft_wrap=True)


def block(found: Examination, private: Private) -> str:
    """Plain text within fences: a line for each section, then what is wrong."""
    lines = [f"harness {harness.__version__}: {found.state}"]
    lines += [_line(section) for section in found.sections]
    lines += [f"{one.level}: {one.what}" for _, one in found.troubles]
    return markdown_block("\n".join(one_line(private.text(line), LONGEST) for line in lines))


def _line(section: Section) -> str:
    return f"{section.title}: " + "; ".join(f"{k} {v}" for k, v in section.facts.items())


def document(found: Examination, private: Private) -> dict[str, Any]:
    """The same as JSON values."""
    made: dict[str, Any] = private.json(
        {
            "schema": SCHEMA,
            "harness": harness.__version__,
            "state": found.state,
            "exit_code": found.exit_code,
            "troubles": [
                {
                    "section": section.key, "level": one.level, "what": one.what, "why": one.why,
                    "cure": one.cure,
                }
                for section, one in found.troubles
            ],
            "sections": {section.key: dict(section.values) for section in found.sections},
        }
    )  # fmt: skip
    return made
