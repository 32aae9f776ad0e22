"""List the wrong answers on dev, the worst first."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Optional

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import harness
from harness.kit.text import one_line
from harness.terminal import tables
from harness.terminal.options import Json, RunName

AFTER = "report"

app = typer.Typer()

MOST = 20
"""Answers in the table unless ``--limit`` says otherwise; ``--json`` gives all."""
MOST_KINDS = 12
SCORE = 10
"""Cells of the column of scores."""

Document = Mapping[str, Any]


@app.command()
def errors(
    run: RunName = None,
    round_: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option("--round", metavar="K", help="answers of this round (default: the kept one)"),
    ] = None,
    category: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--category", metavar="C", help="answers that show this, right ones too"),
    ] = None,
    slice_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--slice", metavar="S", help="answers of this slice, as the report names it"),
    ] = None,
    cause: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--cause", metavar="C", help="of this cause, with the training rows it names"),
    ] = None,
    broken_by: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--broken-by", metavar="K", help="right before round K, and wrong after it"),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--limit", min=1, metavar="N", help="most answers (default: 20; with --json all)"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the wrong answers on dev, the worst first."""
    from harness_inspection.database import RunDatabase
    from harness_inspection.wrong_answers import Wanted, errors as listed

    most = limit if limit is not None or as_json else MOST
    with RunDatabase.opened(harness.current_reports(run)) as database:
        found = listed(database, Wanted(round_, category, slice_, cause, broken_by, most))
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        return
    _show(found, Console(), run)


def _show(found: Document, console: Console, run: str | None) -> None:
    if found["rows"]:
        console.print(
            _wide(found, console) if console.width >= tables.WIDE else _narrow(found, console)
        )
        console.print()
    if found["train_rows"]:
        _show_train_rows(found, console)
    for line in _sentences(found):
        tables.note(console, line)
    if found["rows"]:
        first = found["rows"][0]["id"]
        tables.next_command(console, _why(first, run))


def _caveat(found: Document) -> str:
    """What stands beside the score that decides, wherever it is shown."""
    return str(found["caveats"].get(found["primary"], ""))


def _why(name: str, run: str | None) -> str:
    """The command that shows one answer; an id that looks like an option is kept from being one."""
    guard = ["--"] if name.startswith("-") else []
    return shlex.join(["harness", "why", *guard, name, *([run] if run else [])])


def _wide(found: Document, console: Console) -> Table:
    score = found["primary"] + (" *" if _caveat(found) else "")
    shown = tables.table(
        "id", score, "categories", "cause", "answer", "reference",
        right=[score],
    )  # fmt: skip
    for row in found["rows"]:
        shown.add_row(
            tables.name(row["id"]),
            tables.value(row["score"]),
            _categories(row),
            Text(tables.listed([row["cause"] or ""])),
            tables.piece(row["answer"], console.width),
            tables.piece(row["reference"], console.width, "green"),
        )
    return tables.fit(shown, console, (26, SCORE, 22, 16), texts=2)


def _narrow(found: Document, console: Console) -> Table:
    """Answer above reference in one column, categories above the cause in another."""
    score = found["primary"] + (" *" if _caveat(found) else "")
    shown = tables.table(
        "id", score, "what is wrong", "answer, and reference below it",
        right=[score],
    )  # fmt: skip
    for row in found["rows"]:
        wrong = _categories(row)
        if row["cause"]:
            wrong += Text("\n" if wrong else "") + Text(tables.listed([row["cause"]]), "dim")
        shown.add_row(
            tables.name(row["id"]),
            tables.value(row["score"]),
            wrong,
            _above(row["answer"], row["reference"], console),
        )
    return tables.fit(shown, console, (20, SCORE, 20))


def _categories(row: Document) -> Text:
    """What the answer shows; one that is listed for that, and counts as right, says so."""
    right = ("right, but " if row["categories"] else "right") if row["right"] else ""
    return Text(right + tables.listed(row["categories"]))


def _show_train_rows(found: Document, console: Console) -> None:
    cause = found["filters"]["cause"]
    tables.note(console, f"training rows that '{cause}' names", "bold")
    rows = [{**row, "place": _where(row)} for row in found["train_rows"]]
    console.print(tables.train_rows(rows, console, "answers"))
    console.print()


def _where(row: Document) -> str:
    """Where a row stands; one that was made stands where that one does that it was made from."""
    place = row["place"] or ""
    return f"{place} (made from it by {row['made_by']})".strip() if row["made_by"] else place


def _above(first: str | None, second: str | None, console: Console) -> Text:
    below = tables.piece(second, console.width, "green")
    return Text.assemble(tables.piece(first, console.width), "\n", below)


def _sentences(found: Document) -> list[str]:
    chosen = {key: value for key, value in found["filters"].items() if value is not None}
    kept = " (kept)" if found["round"] == found["kept_round"] else ""
    place = f"{found['answers']:,} answers of round {found['round']}{kept}"
    lines = [f"{found['matching']:,} of {place} {_property(found, chosen)}{_shown(found)}."]
    for key in ("categories", "causes"):
        if found[key]:
            lines.append(f"{key}: {_counts(found[key])}")
    if found["definition"]:
        name = chosen.get("category") or chosen.get("cause")
        lines.append(f"{name}: {found['definition']}.")
    remedies = dict.fromkeys(row["remedy"] for row in found["rows"] if row["remedy"])
    if "cause" in chosen and remedies:
        lines.append(f"remedy: {'; '.join(list(remedies)[:3])}.")
    if found["wrong"] is None:
        lines.append(
            f"'{found['primary']}' does not say which answers are wrong (set its right_at), so "
            "all are counted, the lowest first."
        )
    if _caveat(found):
        lines.append(f"* {found['primary']}: {_caveat(found)}")
    return lines


def _counts(found: Mapping[str, int]) -> str:
    shown = [f"{one_line(name, 60)} {count:,}" for name, count in list(found.items())[:MOST_KINDS]]
    more = f", {len(found) - MOST_KINDS} more" if len(found) > MOST_KINDS else ""
    return ", ".join(shown) + more


def _property(found: Document, chosen: Mapping[str, Any]) -> str:
    parts = [] if "category" in chosen or found["wrong"] is None else ["are wrong"]
    words = {
        "category": "show '{}'",
        "slice": "belong to '{}'",
        "cause": "have the cause '{}'",
        "broken_by": "were broken by round {}",
    }
    parts += [words[key].format(value) for key, value in chosen.items()]
    return " and ".join(parts) or "can be shown"


def _shown(found: Document) -> str:
    shown = len(found["rows"])
    return f"; the worst {shown:,} are shown" if 0 < shown < found["matching"] else ""
