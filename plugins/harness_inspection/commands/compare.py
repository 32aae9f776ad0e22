"""Compare two rounds of a run, or two runs: is B better than A?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit import terms
from harness.kit.blocks import table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.comparisons import ComparedScore, draw_comparison
from harness.kit.terminal.options import SHOWN, Json, Last
from harness.kit.terminal.requirements import MinGain, Require, Requirement
from harness.kit.terms import CHOSEN
from harness.kit.text import one_line
from harness_inspection.commands.overview import show_overview
from harness_inspection.commands.printing import setting, why_command, write_json

if TYPE_CHECKING:
    from harness_inspection.comparison import (
        ChangedData,
        ChangedSetting,
        ComparedRound,
        ComparedRounds,
    )

app = typer.Typer()


@app.command()
def compare(
    first: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="A", help="a round of a run, or a run"),
    ] = None,
    second: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="B", help="what is compared with it"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="all runs of this folder, a line each")
    ] = False,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="whose rounds (default: the latest run's)"),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            min=1,
            metavar="N",
            help="ids, keys and rows shown of each list",
        ),
    ] = 10,
    last: Last = None,
    require: Require = None,
    min_gain: MinGain = None,
    as_json: Json = False,
) -> None:
    """Compare two rounds of a run, or two runs: is B better than A?

    Of two runs the best rounds are compared, on the rows of dev that both have. With --all the
    runs of this folder stand below one another, with what was changed in each.
    """
    from harness_inspection.comparison import compare as compared
    from harness_inspection.sides import pair

    requirement = Requirement(require, min_gain)
    requirement.check()
    if every:
        if first or second or run:
            raise harness.UsageError("--all takes all runs: no A, no B, no --run")
        if requirement:
            raise harness.UsageError("--require and --min-gain are of A and B, not of all runs")
        runs = harness.all_runs(last or (None if as_json else SHOWN))
        write_json(runs) if as_json else show_overview(runs, Console())
        return
    if last is not None:
        raise harness.UsageError("--last goes with --all")
    if first is None or second is None:
        raise harness.UsageError(
            "compare takes two rounds, or two runs",
            hint="harness compare 0 1, harness compare RUN OTHER, or harness compare --all",
        )
    document = compared(*pair(first, second, run))
    write_json(document) if as_json else _show(document, Console(), limit)
    if requirement:
        primary = document.primary
        metric, doubt = document.metrics.get(primary), document.not_comparable.get(primary)
        raise typer.Exit(requirement.exit_code(primary, metric, f"not comparable: {doubt}"))


def _show(document: ComparedRounds, console: Console, limit: int) -> None:
    _show_head(document, console)
    if document.metrics:
        _draw_metrics(document.metrics, console)
    _show_doubts(document, console)
    if document.sentence:
        tables.note(console, document.sentence)
    _show_changed(document, console, limit)
    _show_config(document.config, console, limit)
    _show_data(document.data, console, limit)
    console.print()
    tables.note(console, _caution(document))
    worth_reading = (document.broken or document.fixed or [])[:1]
    if worth_reading:
        command = why_command(worth_reading[0].id, document.b.run)
        tables.next_command(console, command)


def _show_head(document: ComparedRounds, console: Console) -> None:
    a, b = document.a, document.b
    for letter, side in (("B", b), ("A", a)):
        title = Text.assemble((f"{letter} ", "bold"), _title(side))
        console.print(title, highlight=False, soft_wrap=True)
    tables.note(
        console, f"{document.n:,} rows of dev in {document.groups:,} groups{_left(document)}"
    )
    console.print()


def _title(side: ComparedRound) -> str:
    best = ", best round" if side.kept else ""
    best += f": {CHOSEN}" if side.chosen else ""
    rows = f"{side.train_rows:,} train rows" if side.round else "base model"
    return f"round {side.round} of {one_line(side.run, 80)} ({rows}{best})"


def _left(document: ComparedRounds) -> str:
    """Rows that only one side has."""
    counts = (("A", document.only_a), ("B", document.only_b))
    parts = [f"{count:,} of {side}" for side, count in counts if count]
    return f"; left out, since the other has none like it: {' and '.join(parts)}" if parts else ""


def _draw_metrics(metrics: Mapping[str, Any], console: Console) -> None:
    scores = []
    for name, metric in metrics.items():
        shown = one_line(name, tables.ID_LIMIT)
        arrow = "" if metric["higher_is_better"] else " (lower = better)"
        scale = max(abs(metric["a"] or 0.0), abs(metric["b"] or 0.0))
        caveat = metric.get("caveat") or ""
        scores.append(ComparedScore(shown + arrow, metric["a"], metric["b"], metric, caveat, scale))
    draw_comparison(scores, ["A", "B", "B - A", "p"], console)


def _show_doubts(document: ComparedRounds, console: Console) -> None:
    """Why scores cannot be compared, each reason once."""
    reasons: dict[str, list[str]] = {}
    for name, metric in document.metrics.items():
        if metric["doubt"]:
            reasons.setdefault(f"no conclusion: {metric['doubt']}", []).append(name)
    for name, reason in document.not_comparable.items():
        reasons.setdefault(f"not comparable: {reason}", []).append(name)
    for reason, names in reasons.items():
        tables.note(console, f"{', '.join(names)}: {reason}", "yellow")


def _show_changed(document: ComparedRounds, console: Console, limit: int) -> None:
    tables.head(console, "answers")
    tables.block(console, f"the same word for word: {document.same_answer:,} of {document.n:,}")
    if document.fixed is None:
        doubt = one_line(document.changes_doubt or "", 600)
        tables.block(console, f"fixed and regressed rows are unknown: {doubt}")
        return
    changed = (("fixed", document.fixed, "green"), ("broken", document.broken or (), "red"))
    for kind, rows, style in changed:
        tables.block(console, f"{terms.shown('course', kind)}: {len(rows):,}", style)
        courses = {row.id: f"{tables.value(row.a)} -> {tables.value(row.b)}" for row in rows}
        _show_ids(courses, console, limit)


def _show_ids(rows: Mapping[str, str], console: Console, limit: int) -> None:
    """Ids, one a line and never broken, so that they can be copied; behind each what is said."""
    for name, note in list(rows.items())[:limit]:
        line = Text.assemble(
            "    ", one_line(name, tables.ID_LIMIT), (f"  {note}" if note else "", "dim")
        )
        console.print(line, highlight=False, soft_wrap=True)
    if len(rows) > limit:
        tables.block(console, Text(f"  and {len(rows) - limit:,} more: --limit N", "dim"))


def _show_config(differences: Sequence[ChangedSetting], console: Console, limit: int) -> None:
    tables.head(console, "configuration")
    if not differences:
        tables.block(console, "the same")
        return
    rows = ((each.key, setting(each.a), setting(each.b)) for each in differences[:limit])
    draw_rows(table(["key", "A", "B"], rows), console)
    if len(differences) > limit:
        tables.note(console, f"and {len(differences) - limit:,} more keys: --limit N", "dim")


def _show_data(data: ChangedData, console: Console, limit: int) -> None:
    tables.head(console, "training rows")
    kinds = {"added": data.added, "removed": data.removed, "changed": data.changed}
    counts = ", ".join(f"{len(names):,} {kind}" for kind, names in kinds.items())
    tables.block(console, f"A {data.rows_a:,}, B {data.rows_b:,}: {counts} from A to B")
    if data.added:
        makers = [f"{by} ({count:,})" for by, count in data.added_by.items()]
        tables.block(console, one_line(f"added by: {', '.join(makers)}", 600))
    for kind, names in kinds.items():
        if names and data.rows_a and data.rows_b:
            tables.block(console, f"{kind}:")
            _show_ids(dict.fromkeys(names, ""), console, limit)


def _caution(document: ComparedRounds) -> str:
    sentence = (
        "Each score is judged alone at 5 %, on rows that may have been looked at before; a run's "
        "own verdicts are stricter."
    )
    b, a = document.b, document.a
    if a.run != b.run or b.verdict.against != f"round {a.round}":
        return sentence
    verdict = b.verdict
    doubt = document.metrics.get(document.primary, {}).get("doubt")
    # The doubt stands below the table: of a verdict that says it again the label is enough.
    repeated = doubt and doubt in verdict.sentence
    of_run = f"{verdict.label}." if repeated else verdict.sentence
    return f"{sentence} Its verdict here: {of_run}"
