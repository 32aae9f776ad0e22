"""Notes of the run, parts that failed, suggested actions, and how the report was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from harness import Analysis
from harness.kit.blocks import (
    Block,
    Bullets,
    Code,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Simple,
    Table,
)
from harness.kit.text import one_line
from harness_reports import findings
from harness_reports.sections.advice import ended, exhausted
from harness_reports.sections.common import ReportSection
from harness_reports.sections.model import commands as that_use_the_model

NOTES = 10


class NotesSection(ReportSection):
    """What a reader should know of the run."""

    name = "notes"
    title = "Notes"
    order = 2200

    def blocks(self, document: Analysis) -> Iterator[Block]:
        if document.notes:
            yield Heading(self.title)
            yield Bullets(tuple(Paragraph(note) for note in document.notes), short=NOTES)


class FailedSection(ReportSection):
    """Parts of the analysis and sections that could not be made."""

    name = "failed"
    title = "Not in this report"
    order = 2300

    def blocks(self, document: Analysis) -> Iterator[Block]:
        failures = findings.failed(document)
        if failures:
            yield Heading(self.title, "these parts of the analysis failed")
            yield Bullets(tuple(Paragraph(f"{what}: {why}") for what, why in failures))


class RemediesSection(ReportSection):
    """What to do next. The number of answers is an upper limit, and its column says so."""

    name = "remedies"
    title = "Suggested actions"
    order = 2400

    def blocks(self, document: Analysis) -> Iterator[Block]:
        remedies = document.remedies
        if not remedies:
            return
        yield Heading(self.title, "by the failing answers that each concerns")
        columns = (
            Column("suggested action", strong=True), Column("answers at most", "number"),
            Column("new data", "word"), Column("why"),
        )  # fmt: skip
        rows = tuple(
            (
                row.remedy, row.answers, "yes" if row.by_data else "no", row.why,
            )
            for row in remedies
        )  # fmt: skip
        caption = "Suggested actions"
        yield Table(columns, rows, caption, findings.SHOWN, "for fewer answers")


class AppendixSection(ReportSection):
    """Time spent, and the SQL behind each table."""

    name = "appendix"
    title = "Appendix"
    order = 2500

    def blocks(self, document: Analysis) -> Iterator[Block]:
        spent = sorted(document.seconds.items(), key=lambda item: -item[1])
        if not spent and not document.queries:
            return
        took = f"took {_minutes(sum(document.seconds.values()))}" if spent else ""
        yield Heading(self.title, took)
        if spent:
            stages = ", ".join(f"{name} {_minutes(seconds)}" for name, seconds in spent[:4])
            cached = len(document.cached)
            yield Note(stages + (f" · {cached} stages from the store" if cached else ""))
            columns = (Column("stage"), Column("time", "number"))
            rows = tuple((name, _minutes(seconds)) for name, seconds in spent)
            shown = Table(columns, rows, "Time by stage", ordered=True)
            yield Details("Time by stage", (shown,))
        if document.queries:
            yield Details("The queries behind each table", tuple(_queries(document)))


def _queries(document: Analysis) -> Iterator[Simple]:
    yield Note(
        'Each of these tables is the result of a query: harness query "SELECT …" runs it again.'
    )
    for query in document.queries:
        yield Paragraph(query.what, lead=query.name)
        yield Code(str(query.sql or ""))


class NextSection(ReportSection):
    """What can be typed next, ready to be pasted."""

    name = "next"
    order = 2600

    def blocks(self, document: Analysis) -> Iterator[Block]:
        if commands := [one_line(command, 20_000) for command in _commands(document)]:
            yield Code("\n".join(commands), "Next:")

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The same, with the command that shows the rest of the report."""
        commands = [one_line(command, 20_000) for command in _commands(document)]
        whole = whole_report(document.run)
        yield Code("\n".join([*commands, whole]), "Next (the last one shows the whole report):")


def whole_report(run: str) -> str:
    """The command that shows all of this run's report."""
    return one_line(shlex.join(["harness", "report", run, "--full"]), 20_000)


def _commands(document: Analysis) -> Iterator[str]:
    """What uses the model, then what looks closer at the run, then what goes on with it."""
    yield from that_use_the_model(document)
    run, best = document.run, document.kept_round
    worst = document.not_better or next(iter(document.examples), None)
    if worst and worst.id:
        yield shlex.join(["harness", "why", worst.id, run])
    if len(document.rounds) > 1:
        later = best or document.rounds[-1].round
        yield shlex.join(["harness", "compare", "0", str(later), "--run", run])
        yield shlex.join(["harness", "advise", run])
    following = document.next_command
    another_round = ended(document) and following.startswith("harness iterate ")
    if following and not (another_round and exhausted(document)):
        yield following


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
