"""What comes first: the verdict that counts, the objective, and what must not be made worse."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Analysis
from harness.kit.blocks import Block, Bullets, Column, Details, Note, Paragraph, Table
from harness.kit.documents import score_title
from harness.kit.numbers import moment, number
from harness.kit.text import one_line
from harness.records.summary import ShownGuard
from harness_reports import figures, outcomes
from harness_reports.sections import box
from harness_reports.sections.advice import advice
from harness_reports.sections.common import ReportSection

GUARDS = 3
"""Guards of each state that a short report shows."""


class VerdictSection(ReportSection):
    """The verdict that counts, the objective, what must not be made worse, and what may help."""

    name = "verdict"
    order = 100

    def blocks(self, document: Analysis) -> Iterator[Block]:
        yield box.heading(document)
        yield from box.lines(document)
        if objective := document.objective:
            statement = f"“{objective.statement}”" if objective.statement else ""
            yield Paragraph(objective.sentence, label=objective.state, detail=statement)
        yield Note(" · ".join(filter(None, (*_when(document), outcomes.pass_rate(document)))))
        yield from _guards(document)
        yield from advice(document)

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The label, when and of what; how good it was and is; prompts; what was forgotten."""
        dates, passing = document.dates, outcomes.pass_rate(document)
        run = (document.run, moment(dates.finished or dates.started))
        long = bool(box.objections(document))
        yield box.heading(document, *(() if long else run))
        yield from box.lines(document)
        passed = f"{passing}; pass threshold {document.right_at:g}" if passing else ""
        if facts := " · ".join(filter(None, (passed, *(run if long else ())))):
            yield Note(facts)
        if objective := document.objective:
            yield Paragraph(objective.sentence, label=objective.state)
        yield from _in_words(document, "broken")[:1]
        yield from advice(document)


def _when(document: Analysis) -> Iterator[str]:
    yield _facts(document)
    yield moment(document.dates.finished or document.dates.started)


def _guards(document: Analysis) -> Iterator[Block]:
    """Those that were broken, then the latest round's; all of them folded away."""
    for state in ("broken", "cannot be judged", "held"):
        if items := tuple(_in_words(document, state)):
            yield Bullets(items, short=GUARDS, rest=state)
    rows = tuple(
        (str(entry.round), *_guard(document, guard))
        for entry in document.rounds for guard in entry.guards
    )  # fmt: skip
    if rows:
        columns = (
            Column("round", "word"), Column("guard"), Column("state", "label"),
            Column("change", "number"), Column("bounds", "number"),
            Column("largest loss not excluded", "number"),
        )  # fmt: skip
        yield Details("All guards by round", (Table(columns, rows, "Guards by round"),))


def _guard(document: Analysis, guard: ShownGuard) -> tuple[str, ...]:
    title = _guard_title(document, guard.name)
    change = figures.change_cells(guard.verdict)
    return (title, guard.state, *change, number(guard.largest_loss))


def _guard_title(document: Analysis, name: str) -> str:
    """A guard's name, which begins with its score's."""
    for score in sorted(figures.score_names(document), key=len, reverse=True):
        if name == score or name.startswith(f"{score} "):
            return score_title(document, score, 80) + one_line(name[len(score) :] + ".", 80)[:-1]
    return one_line(name, 160)


def _in_words(document: Analysis, state: str) -> list[Paragraph]:
    """The guards of a state, the latest round's first: broken ones of all rounds, others of the
    latest, since what held before says nothing of it."""
    rounds = document.rounds
    return [
        Paragraph(
            guard.sentence,
            label=state,
            lead=f"guard {_guard_title(document, guard.name)}, round {entry.round}:",
        )
        for entry in reversed(rounds if state == "broken" else rounds[-1:])
        for guard in reversed(entry.guards)
        if guard.state == state
    ]


def _facts(document: Analysis) -> str:
    """``run · model · 160 dev rows in 48 groups · primary score rougeL``."""
    rows, groups = document.data.rows.get("dev"), document.data.dev_groups
    size = f"{rows} dev rows" + (f" in {groups} groups" if groups else "") if rows else ""
    decides = f"primary score {score_title(document, document.primary, 200)}"
    parts = [document.run, document.model.base, size, decides]
    return " · ".join(fact for fact in parts if fact)
