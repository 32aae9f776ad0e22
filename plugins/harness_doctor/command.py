"""Look at this machine, and at what the config lacks here.

Nothing is changed, no row is read and no model is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

import harness
from harness.kit.terminal.options import ConfigFile, Json, Sets, takes

if TYPE_CHECKING:
    from rich.console import Console

    from harness.kit.privacy import Private
    from harness_doctor.findings import Section, Trouble

SCHEMA = "harness.doctor/1"
LONGEST = 2_000
"""Characters of one fact."""

app = typer.Typer()


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    config: ConfigFile = None
    sets: Sets = None
    as_json: Json = False


@app.command()
@takes(Request)
def doctor(request: Request) -> int:
    """Look at this machine, and at what the config lacks here.

    Ends with a block for an issue, without names and paths of yours. Exit code 3 where harness or
    the config lacks something.
    """
    from rich.console import Console

    from harness.kit.privacy import of_this_user
    from harness.kit.terminal.progress import SHORT, Display
    from harness.kit.terminal.streams import plugins_on_stderr
    from harness_doctor import config, machine, torch

    if request.config is not None and not request.config.is_file():
        raise harness.ConfigError("this config file does not exist", where=str(request.config))
    sections = [machine.python(), machine.libraries(), machine.resources()]
    with plugins_on_stderr(), Display(Console(stderr=True), "doctor", SHORT) as display:
        report = display.stage("looking at the config, the network and torch")
        of_config, libraries = config.needs(request.config, request.sets or ())
        report(1, 2, "")
        sections += [torch.section("bitsandbytes" in libraries), of_config]
        report(2, 2, "")
    troubles = sorted(
        (trouble for section in sections for trouble in section.troubles),
        key=lambda trouble: trouble.level != "problem",
    )
    private = of_this_user()
    if request.as_json:
        values = private.json(_document(sections, troubles))
        sys.stdout.write(json.dumps(values, indent=1, allow_nan=False) + "\n")
    else:
        _show(sections, troubles, private, Console())
    return _exit_code(troubles)


def _exit_code(troubles: Sequence[Trouble]) -> int:
    """0 where no problem is; the machine's code (3) comes before the config's (2)."""
    return max((trouble.code for trouble in troubles if trouble.level == "problem"), default=0)


def _state(troubles: Sequence[Trouble]) -> str:
    return f"{troubles[0].level}s" if troubles else "fine"


def _document(sections: Sequence[Section], troubles: Sequence[Trouble]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "harness": harness.__version__,
        "state": _state(troubles),
        "exit_code": _exit_code(troubles),
        "troubles": [
            {"level": trouble.level, "what": trouble.what, "cure": trouble.cure}
            for trouble in troubles
        ],
        "sections": {section.title.lower(): dict(section.values) for section in sections},
    }


def _show(
    sections: Sequence[Section], troubles: Sequence[Trouble], private: Private, console: Console
) -> None:
    """All of it for a person, and a block of plain text for an issue."""
    from rich.text import Text

    from harness.kit.blocks import Column, Table
    from harness.kit.terminal.blocks import draw_rows
    from harness.kit.terminal.tables import head
    from harness.kit.text import markdown_block, one_line

    def safe(text: str) -> str:
        return one_line(private.text(text), LONGEST)

    for section in sections:
        head(console, section.title)
        facts = tuple((label, safe(fact)) for label, fact in section.facts.items())
        draw_rows(Table((Column("", "word"), Column("")), facts, section.title), console)
    head(console, "What is wrong" if troubles else "Nothing is wrong")
    for trouble in troubles:
        style = "bold red" if trouble.level == "problem" else "yellow"
        line = Text.assemble((f"{trouble.level}: ", style), safe(trouble.what))
        console.print(line, highlight=False)
        # Never broken, so that it can be copied.
        cure = Text.assemble(("  cure: ", "green"), safe(trouble.cure))
        console.print(cure, highlight=False, soft_wrap=True)
    head(console, "To paste into an issue")
    console.print()
    lines = [f"harness {harness.__version__}: {_state(troubles)}"]
    for section in sections:
        facts_of_it = "; ".join(f"{label} {fact}" for label, fact in section.facts.items())
        lines.append(f"{section.title}: {facts_of_it}")
    lines += [f"{trouble.level}: {trouble.what}" for trouble in troubles]
    block = markdown_block("\n".join(map(safe, lines)))
    console.print(Text(block), highlight=False, soft_wrap=True)
