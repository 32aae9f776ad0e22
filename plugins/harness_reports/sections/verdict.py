"""What comes first: the verdict that counts, the objective, and what must not be made worse."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness.kit.blocks import Block, Bullets, Column, Details, Note, Paragraph, Table
from harness.kit.numbers import interval, moment, number, signed
from harness_reports import figures, findings, outcomes
from harness_reports.figures import Document
from harness_reports.sections import box
from harness_reports.sections.advice import advice

GUARDS = 3
"""Guards of each state that a short report shows."""


class VerdictSection(harness.Section):
    """The verdict that counts, the objective, what must not be made worse, and what may help."""

    name = "verdict"
    order = 100
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        yield box.heading(document)
        yield from box.lines(document)
        if objective := document["objective"]:
            statement = f"“{objective['statement']}”" if objective["statement"] else ""
            yield Paragraph(objective["sentence"], label=objective["state"], detail=statement)
        yield Note(" · ".join(filter(None, (*_when(document), outcomes.pass_rate(document)))))
        yield from _guards(document)
        yield from advice(document)

    def in_short(self, document: Document) -> Iterator[Block]:
        """The label, when and of what; how good it was and is; prompts; what was forgotten."""
        dates, passing = document["dates"], outcomes.pass_rate(document)
        run = (document["run"], moment(dates["finished"] or dates["started"]))
        long = bool(box.objections(document))
        yield box.heading(document, *(() if long else run))
        yield from box.lines(document)
        passed = f"{passing}; pass threshold {document['right_at']:g}" if passing else ""
        if facts := " · ".join(filter(None, (passed, *(run if long else ())))):
            yield Note(facts)
        if objective := document["objective"]:
            yield Paragraph(objective["sentence"], label=objective["state"])
        broken = [guard for guard in findings.guards(document) if guard.state == "broken"]
        for guard in broken[-1:]:
            lead = f"guard {figures.guard_title(document, guard.name)}, round {guard.round}:"
            yield Paragraph(guard.sentence, label="broken", lead=lead)
        yield from advice(document)


def _when(document: Document) -> Iterator[str]:
    yield figures.facts(document)
    yield moment(document["dates"]["finished"] or document["dates"]["started"])


def _guards(document: Document) -> Iterator[Block]:
    """Those that were broken, then the latest round's; all of them folded away."""
    guards = findings.guards(document)
    for state in ("broken", "cannot be judged", "held"):
        items = tuple(
            Paragraph(
                guard.sentence, label=state,
                lead=f"guard {figures.guard_title(document, guard.name)}, round {guard.round}:",
            )
            for guard in reversed(guards) if guard.state == state
        )  # fmt: skip
        if items:
            yield Bullets(items, short=GUARDS, rest=state)
    rows = tuple(
        (str(entry["round"]), *_guard(document, guard))
        for entry in document["rounds"] for guard in entry["guards"]
    )  # fmt: skip
    if rows:
        columns = (
            Column("round", "word"), Column("guard"), Column("state", "label"),
            Column("change", "number"), Column("bounds", "number"),
            Column("largest loss not excluded", "number"),
        )  # fmt: skip
        yield Details("All guards by round", (Table(columns, rows, "Guards by round"),))


def _guard(document: Document, guard: Document) -> tuple[str, ...]:
    verdict = guard["verdict"]
    return (
        figures.guard_title(document, guard["name"]), guard["state"],
        signed(verdict["difference"]), interval(verdict["low"], verdict["high"], plus=True),
        number(guard["largest_loss"]),
    )  # fmt: skip
