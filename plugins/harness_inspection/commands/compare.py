"""Compare two rounds of a run, or two runs: is B better than A?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit import terms
from harness.kit.blocks import table
from harness.kit.comment import Beside, Part, comment
from harness.kit.junit import write_junit
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.comparisons import ComparedScore, draw_comparison
from harness.kit.terminal.options import SHOWN, Brief, Json, JUnit, Last
from harness.kit.terminal.requirements import MinGain, Require, Requirement
from harness.kit.terminal.targets import check_target
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
        Shared,
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
    brief: Brief = False,
    junit: JUnit = None,
    as_json: Json = False,
) -> None:
    """Compare two rounds of a run, or two runs: is B better than A?

    Of two runs the best rounds are compared, on the rows of dev that both have. With --all the
    runs of this folder stand below one another, with what was changed in each.
    """
    from harness_inspection import comparison
    from harness_inspection.sides import pair

    requirement = Requirement(require, min_gain)
    requirement.check()
    if brief and as_json:
        raise harness.UsageError("--brief and --json are forms of one output: one of them")
    if junit is not None:
        check_target("--junit", junit)
    if every:
        if first or second or run:
            raise harness.UsageError("--all takes all runs: no A, no B, no --run")
        if requirement:
            raise harness.UsageError("--require and --min-gain are of A and B, not of all runs")
        if brief or junit:
            raise harness.UsageError("--brief and --junit are of A and B, not of all runs")
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
    a, b = pair(first, second, run)
    before, after = comparison.shared(a.round, b.round)
    document = comparison.compare(a, b, before, after)
    primary = document.primary
    metric = document.metrics.get(primary)
    doubt = f"not comparable: {document.not_comparable.get(primary)}"
    if as_json:
        write_json(document)
    elif brief:
        unmet = requirement.unmet(metric, doubt)
        sys.stdout.write(comment(_beside(document, before, after, unmet).blocks()))
    else:
        _show(document, Console(), limit)
    if junit is not None:
        write_junit(junit, "compare", [requirement.case(primary, metric, doubt)])
    raise typer.Exit(requirement.exit_code(primary, metric, doubt))


def _beside(document: ComparedRounds, before: Shared, after: Shared, unmet: str) -> Beside:
    """The document as a comment tells it, with the answers of both sides."""
    metric = document.metrics.get(document.primary)
    label, sentence, higher, rows = "no evidence", "", True, []
    if metric is None:
        doubt = document.not_comparable[document.primary]
        sentence = f"{document.primary} is not comparable: {doubt}"
    else:
        label, sentence = metric["label"], metric["sentence"]
        higher = metric["higher_is_better"]
        values = before.values(document.primary), after.values(document.primary)
        texts = before.texts, after.texts
        rows = [
            Part(name, values[0][name], now, texts=(texts[0][name], texts[1][name]))
            for name, now in values[1].items()
        ]
    sides = [document.a, document.b]
    same = document.a.run == document.b.run
    names = [f"round {side.round}" if same else f"{side.run}, round {side.round}" for side in sides]
    notes = [document.sentence, *_doubts(document), _caution(document)]
    return Beside(
        (names[0], names[1]), document.primary, label, sentence, unmet,
        _compared_scores(document.metrics), higher, None, rows, list(filter(None, notes)),
    )  # fmt: skip


def _show(document: ComparedRounds, console: Console, limit: int) -> None:
    _show_head(document, console)
    if document.metrics:
        scores = list(_compared_scores(document.metrics).values())
        draw_comparison(scores, ["A", "B", "B - A", "p"], console)
    for doubt in _doubts(document):
        tables.note(console, doubt, "yellow")
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


def _compared_scores(metrics: Mapping[str, Any]) -> dict[str, ComparedScore]:
    scores = {}
    for name, metric in metrics.items():
        shown = one_line(name, tables.ID_LIMIT)
        arrow = "" if metric["higher_is_better"] else " (lower = better)"
        scale = max(abs(metric["a"] or 0.0), abs(metric["b"] or 0.0))
        caveat = metric.get("caveat") or ""
        scores[name] = ComparedScore(shown + arrow, metric["a"], metric["b"], metric, caveat, scale)
    return scores


def _doubts(document: ComparedRounds) -> list[str]:
    """Why scores cannot be compared, each reason once."""
    reasons: dict[str, list[str]] = {}
    for name, metric in document.metrics.items():
        if metric["doubt"]:
            reasons.setdefault(f"no conclusion: {metric['doubt']}", []).append(name)
    for name, reason in document.not_comparable.items():
        reasons.setdefault(f"not comparable: {reason}", []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


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
