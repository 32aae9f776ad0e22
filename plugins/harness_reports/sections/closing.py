"""Notes of the run, parts that failed, suggested actions, and how the report was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

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
from harness_reports import categories, figures, findings
from harness_reports.figures import Document
from harness_reports.sections.advice import ended, exhausted
from harness_reports.sections.model import commands as that_use_the_model

NOTES = 10


def notes(document: Document) -> Iterator[Block]:
    if document["notes"]:
        yield Heading("Notes")
        yield Bullets(tuple(Paragraph(note) for note in document["notes"]), short=NOTES)


def failed(document: Document) -> Iterator[Block]:
    found = findings.failed(document)
    if found:
        yield Heading("Not in this report", "these parts of the analysis failed")
        yield Bullets(tuple(Paragraph(f"{what}: {why}") for what, why in found))


def remedies(document: Document) -> Iterator[Block]:
    """What to do next. The number of answers is an upper limit, and its column says so."""
    found = categories.remedies(document)
    if not found:
        return
    yield Heading("Suggested actions", "by the failing answers that each concerns")
    columns = (
        Column("suggested action", strong=True), Column("answers at most", "number"),
        Column("new data", "word"), Column("why"),
    )  # fmt: skip
    rows = tuple(
        (
            str(one.get("remedy") or ""), one.get("answers"), "yes" if one.get("by_data") else "no",
            str(one.get("why") or ""),
        )
        for one in found
    )  # fmt: skip
    caption = "Suggested actions"
    yield Table(columns, rows, caption, findings.SHOWN, "for fewer answers")


def appendix(document: Document) -> Iterator[Block]:
    """Time spent, and the SQL behind each table."""
    spent = sorted(document["seconds"].items(), key=lambda item: -item[1])
    if not spent and not document["queries"]:
        return
    took = f"took {figures.duration(sum(document['seconds'].values()))}" if spent else ""
    yield Heading("Appendix", took)
    if spent:
        stages = ", ".join(f"{name} {figures.duration(seconds)}" for name, seconds in spent[:4])
        cached = len(document["cached"])
        yield Note(stages + (f" · {cached} stages from the store" if cached else ""))
        columns = (Column("stage"), Column("time", "number"))
        rows = tuple((name, figures.duration(seconds)) for name, seconds in spent)
        shown = Table(columns, rows, "Time by stage", ordered=True)
        yield Details("Time by stage", (shown,))
    if document["queries"]:
        yield Details("The queries behind each table", tuple(_queries(document)))


def _queries(document: Document) -> Iterator[Simple]:
    yield Note(
        'Each of these tables is the result of a query: harness query "SELECT …" runs it again.'
    )
    for query in document["queries"]:
        yield Paragraph(f"{query.get('what')}", lead=str(query.get("name")))
        yield Code(str(query.get("sql") or ""))


def next_commands(document: Document) -> Iterator[Block]:
    """What can be typed next, ready to be pasted."""
    if found := [one_line(command, 20_000) for command in _commands(document)]:
        yield Code("\n".join(found), "Next:")


def next_in_short(document: Document) -> Iterator[Block]:
    """The same, with the command that shows the rest of the report."""
    found = [one_line(command, 20_000) for command in _commands(document)]
    whole = whole_report(document["run"])
    yield Code("\n".join([*found, whole]), "Next (the last one shows the whole report):")


def whole_report(run: str) -> str:
    """The command that shows all of this run's report."""
    return one_line(shlex.join(["harness", "report", run, "--full"]), 20_000)


def _commands(document: Document) -> Iterator[str]:
    """What uses the model, then what looks closer at the run, then what goes on with it."""
    yield from that_use_the_model(document)
    run, kept = document["run"], document["kept_round"]
    worst = document["not_better"] or next(iter(document["examples"]), None)
    if worst and worst["id"]:
        yield shlex.join(["harness", "why", worst["id"], run])
    if len(document["rounds"]) > 1:
        later = kept or document["rounds"][-1]["round"]
        yield shlex.join(["harness", "compare", "0", str(later), "--run", run])
        yield shlex.join(["harness", "advise", run])
    following = document["next_command"]
    another_round = ended(document) and following.startswith("harness iterate ")
    if following and not (another_round and exhausted(document)):
        yield following
