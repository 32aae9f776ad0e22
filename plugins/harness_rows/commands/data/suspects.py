"""``harness data suspects``: rows of train whose answers may be wrong, to be looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import harness
from harness.kit.terminal.options import ConfigFile, Json, Sets, takes

if TYPE_CHECKING:
    from rich.console import Console

    from harness.kit.blocks import Table
    from harness_rows.suspects.finding import Suspects
    from harness_rows.suspects.ranking import Suspect

SCHEMA = "harness.suspects/1"
LISTED = 10
"""Rows that the table shows."""
RARE = (
    "What is rare looks like what is wrong: a row of a rare kind, or a hard one, is listed, too. "
    "Read each before you change it. No row was changed or removed."
)


@dataclass(frozen=True, kw_only=True)
class SuspectsRequest:
    """What ``suspects`` takes."""

    config: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="[CONFIG]", help="config file (default: ./harness.yaml)"),
    ] = None
    config_file: ConfigFile = None
    sets: Sets = None
    folds: Annotated[
        int, typer.Option("--folds", min=2, max=20, help="parts that are held out in turn")
    ] = 3
    share: Annotated[
        float, typer.Option("--share", min=0.001, max=1.0, help="of the rows that is listed")
    ] = 0.2
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", metavar="FILE", help="a new .jsonl file to be reviewed"),
    ] = None
    as_json: Json = False


@takes(SuspectsRequest)
def suspects(request: SuspectsRequest) -> int:
    """Rank the rows of train by how likely their answers are wrong.

    Models are trained on parts of train, with the config's settings, and say how well they predict
    the answers of the part that they have not learned. Rows with one prompt and other answers are
    listed beside them. What is trained is kept: the same command goes on after a stop.
    """
    from rich.console import Console
    from rich.text import Text

    from harness.kit.terminal.interrupts import Stop, way_on
    from harness.kit.terminal.progress import SHORT, WEIGHTS, Display
    from harness.kit.terminal.streams import plugins_on_stderr
    from harness_rows.commands.data import writing
    from harness_rows.suspects.finding import find

    if request.config and request.config_file:
        raise harness.UsageError("CONFIG and --config name two files: one only")
    if request.output:
        writing.need_new_file("-o", request.output)
    console = Console(stderr=True)
    stop = Stop(lambda message: console.print(message, highlight=False))
    total = 3 * SHORT + request.folds * (WEIGHTS["train"] + WEIGHTS["answer losses"])
    try:
        with (
            plugins_on_stderr(),
            stop,
            Display(console, "data suspects", total) as display,
            harness.open_branches(
                request.config or request.config_file, request.sets or (), watcher=display,
                cancelled=stop.asked,
            ) as run,
        ):  # fmt: skip
            result = find(run, request.folds, request.share)
    except harness.Cancelled as end:
        message = f"{str(end) or 'stopped'}; finished work is saved. To go on:"
        console.print(Text(message), highlight=False, soft_wrap=True)
        console.print(Text(f"  {way_on()}"), soft_wrap=True)
        return end.exit_code
    lines = [_line(place, listed) for place, listed in enumerate(result.listed, start=1)]
    if request.output:
        writing.write([("-o", request.output, lines)])
    if request.as_json:
        sys.stdout.write(json.dumps(_document(request, result, lines), indent=1) + "\n")
    else:
        _show(request, result, Console())
    return 0


def _line(rank: int, listed: Suspect) -> dict[str, Any]:
    from harness.kit.text import storable_json
    from harness_rows.cleaning.repeated import prompt_of
    from harness_rows.suspects.asking import answer_of

    line: dict[str, Any] = storable_json({
        "id": listed.row.id,
        "rank": rank,
        "score": None if listed.score is None else round(listed.score, 4),
        "reason": listed.reason,
        "prompt": prompt_of(listed.row),
        "answer": answer_of(listed.row),
        "likelier": listed.likelier,
        "conflicts": list(listed.conflicts),
        "place": listed.row.place or "",
    })  # fmt: skip
    return line


def _document(
    request: SuspectsRequest, result: Suspects, lines: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "rows": result.rows,
        "folds": request.folds,
        "share": request.share,
        "answers": "labels" if result.labels else "texts",
        "labels": list(result.labels),
        "not_measured": result.not_measured,
        "conflicts": result.conflicts,
        "suspects": lines,
        "files": [str(request.output)] if request.output else [],
    }


def _show(request: SuspectsRequest, result: Suspects, console: Console) -> None:
    from harness.kit.numbers import counted
    from harness.kit.terminal import tables
    from harness.kit.terminal.blocks import draw_rows
    from harness_rows.commands.data.printing import note_written

    draw_rows(_table(result), console)
    console.print()
    for line in result.sentences:
        tables.note(console, line)
    tables.note(console, RARE)
    counts = f"{counted(len(result.listed), 'row')} of {result.rows:,} to be looked at."
    tables.note(console, counts, "bold")
    note_written(console, [request.output], "-o FILE writes them all, each with its reason.")


def _table(result: Suspects) -> Table:
    from harness.kit.blocks import Column, Table
    from harness_rows.cleaning.exact import prompt_text
    from harness_rows.suspects.asking import answer_of

    rows = []
    for rank, listed in enumerate(result.listed, start=1):
        score = "" if listed.score is None else f"{listed.score:.2f}"
        answer = (answer_of(listed.row), listed.reason)
        rows.append((f"{rank}", score, listed.row.id, prompt_text(listed.row), answer))
    columns = (
        Column("rank", "number"), Column("score", "number"), Column("row", "id"),
        Column("prompt", "line"), Column("answer, why"),
    )  # fmt: skip
    rest = "which -o FILE writes"
    return Table(columns, tuple(rows), "rows to be looked at", LISTED, rest, ordered=True)
