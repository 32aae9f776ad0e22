"""All runs of a folder, as a terminal shows them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.kit.numbers import duration, moment
from harness.kit.terms import CHOSEN
from harness.kit.text import one_line
from harness.terminal import tables
from harness_inspection.commands.printing import Document, setting

SHOWN = 4
"""Keys of a config that are shown of what was changed."""
CAUTION = (
    f"Scores on dev are {CHOSEN}, and comparable where the rows are the same: they help to choose "
    "among runs, and are no result. The more runs, the more the highest owes to chance. A score "
    "on test is one; the opening counts how often these rows were looked at."
)


def show_overview(document: Document, console: Console) -> None:
    """A table of the runs in the order in which they were begun."""
    runs = document["runs"]
    if not runs:
        tables.note(console, "no runs yet: harness iterate")
        return
    numbers = {run["run"]: place for place, run in enumerate(runs, start=1)}
    shown = tables.table("run", "changed", "dev", "test", "time", right=["time"])
    for run in runs:
        shown.add_row(
            Text.assemble(
                (f"{numbers[run['run']]}  ", "bold"), one_line(run["run"], tables.ID_LIMIT),
                (f"\n{moment(run['finished'] or run['started'])}", "dim"),
            ),
            _changed(run, numbers),
            _dev(run),
            _test(run["test"]),
            duration(run["seconds"]),
        )  # fmt: skip
    console.print(shown)
    console.print()
    tables.note(console, CAUTION, "dim")
    if len(runs) > 1:
        names = [run["run"] for run in runs[-2:]]
        tables.next_command(console, shlex.join(["harness", "compare", *names]))


def _changed(run: Document, numbers: dict[str, int]) -> Text:
    """The settings that differ, and from which run."""
    if run["changed"] is None:
        return Text("its config is not known", "dim")
    if run["against"] is None:
        return Text("-", "dim")
    changed = run["changed"]
    lines = [Text(f"against {numbers[run['against']]}" + ("" if changed else ": nothing"), "dim")]
    lines += [
        Text.assemble(one_line(each["key"], tables.ID_LIMIT), " ", setting(each["from"]), " → ",
                      setting(each["to"]))
        for each in changed[:SHOWN]
    ]  # fmt: skip
    if len(changed) > SHOWN:
        lines.append(Text(f"and {len(changed) - SHOWN:,} more: --json", "dim"))
    return Text("\n").join(lines)


def _dev(run: Document) -> Text:
    chain = ", ".join(
        f"{number} {label}" for number, label in enumerate(run["verdicts"][1:], start=1)
    )
    lines = [f"{one_line(run['primary'], 40)} {_two_lines(run['dev'])}"]
    lines += [f"round {run['best']} of {run['rounds']}", *([chain] if chain else [])]
    return _first_loud(lines)


def _test(test: Document | None) -> Text:
    if test is None:
        return Text("sealed", "dim")
    return _first_loud([_two_lines(test), f"{test['verdict']}, opening {test['opening']}"])


def _two_lines(score: Document) -> str:
    """A value, and its interval below it."""
    return tables.span(score, 3).replace(" [", "\n[", 1)


def _first_loud(lines: Sequence[str]) -> Text:
    return Text.assemble(lines[0], *((f"\n{line}", "dim") for line in lines[1:]))
