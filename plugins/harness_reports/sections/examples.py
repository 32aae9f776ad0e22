"""Answers to read: those that got better, and the worst."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness import Analysis
from harness.kit import terms
from harness.kit.blocks import Answer, Answers, Block, Heading, Paragraph, Sample
from harness.kit.documents import score_title
from harness.records.analysis import AnalysedExample, ShownCause
from harness_reports.sections.common import ReportSection, headed
from harness_reports.terms import in_words

OTHERS = 5
"""Further references of a row."""


class GainsSection(ReportSection):
    """Answers that got better, and the worst of those that did not."""

    name = "gains"
    title = "Answers that got better"
    order = 700

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        better, worst = document.better, document.not_better
        if not better and not worst:
            return
        best = document.kept_round
        title = self.title if better else "The worst answer"
        if worst and better:
            title += ", and the worst that did not"
        elif worst and best:
            title += " that did not get better"
        yield Heading(title, f"base model → round {best}" if best else "base model")
        score = score_title(document, document.primary, 40)
        if better:
            yield Answers(tuple(_change(row, best) for row in better), score, "folded")
        if worst:
            yield Answers((_change(worst, best),), score, "shown")

    in_short = blocks


def _change(row: AnalysedExample, kept_round: int) -> Sample:
    """The base model's answer and the best round's; else the one that is known."""
    by_round = {answer.round: answer for answer in row.answers}
    answers = tuple(
        Answer(f"round {at}" if at else "base model", by_round[at].text, by_round[at].score)
        for at in dict.fromkeys((0, kept_round))
        if at in by_round
    )
    return Sample(
        row.id,
        row.prompt,
        answers or (Answer("answer", row.answer, row.score),),
        row.reference,
        remark=row.course,
    )


class ExamplesSection(ReportSection):
    """The worst answers, with the words in which they differ from their references."""

    name = "examples"
    title = "Among the worst answers"
    order = 1600

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        best = document.kept_round
        heading = Heading(self.title, f"dev, round {best}")
        yield from headed(document, heading, document.examples, "examples")
        if document.examples:
            score = score_title(document, document.primary, 40)
            passing = [row for row in document.examples if _passes(row, best)]
            failing = [row for row in document.examples if not _passes(row, best)]
            rows = [*_worst_of_each_kind_first(failing), *passing]
            yield Answers(tuple(_example(row, best) for row in rows), score, short=len(failing))


def _passes(row: AnalysedExample, kept_round: int) -> bool:
    return any(answer.right for answer in row.answers if answer.round == kept_round)


def _worst_of_each_kind_first(rows: Iterable[AnalysedExample]) -> list[AnalysedExample]:
    """First those that fail in a way of their own, by error category or cause.

    They say more than the next one of the same.
    """
    seen: set[str] = set()
    first: list[AnalysedExample] = []
    later: list[AnalysedExample] = []
    for row in rows:
        traits = {*row.errors[:1], *([row.cause.cause] if row.cause else [])}
        (first if traits - seen else later).append(row)
        seen |= traits
    return [*first, *later]


def _example(row: AnalysedExample, kept_round: int) -> Sample:
    cut = "Truncated at max_new_tokens." if row.finish_reason == "length" else ""
    others = [text for text in row.references if text != row.reference][:OTHERS]
    return Sample(
        row.id,
        row.prompt,
        (Answer(f"round {kept_round}", row.answer, row.score, cut),),
        row.reference,
        row.place,
        (*_of_rounds(row, kept_round), *(Answer("Reference", text) for text in others)),
        row.errors,
        row.course,
        tuple(_notes(row.cause)),
    )


def _of_rounds(row: AnalysedExample, kept_round: int) -> Iterator[Answer]:
    """The answers of all rounds, where there are several."""
    words = {True: terms.shown("key", "right"), False: terms.shown("key", "wrong")}
    for answer in row.answers if len(row.answers) > 1 else ():
        at = f"Round {answer.round}{' ●' if answer.round == kept_round else ''}"
        detail = " · ".join(
            [words[answer.right] if answer.right is not None else "not judged", *answer.errors]
        )
        yield Answer(at, answer.text, answer.score, detail)


def _notes(cause: ShownCause | None) -> Iterator[Paragraph]:
    if cause is None:
        return
    advice = [f"Suggested action: {cause.remedy}."] if cause.remedy else []
    advice += [f"Training rows: {', '.join(cause.train_rows)}."] if cause.train_rows else []
    evidence = f": {cause.evidence}" if cause.evidence else ""
    yield Paragraph(f"{cause.cause}{evidence}", lead="cause", detail=" ".join(advice))
