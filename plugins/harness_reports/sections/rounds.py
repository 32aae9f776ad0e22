"""The scores behind the verdict: by round, all others, and on the test set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import Analysis
from harness.kit import terms
from harness.kit.blocks import (
    Block,
    Bullets,
    Chart,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
)
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import estimate, interval, number, signed
from harness.kit.text import one_line
from harness.records.analysis import Estimate
from harness.records.summary import UNSCORED, MainRound
from harness_reports import figures, findings
from harness_reports.sections.common import ReportSection, rounds_of

BY_PEOPLE = "change: by raters who rated both rounds in one batch"
"""Of a primary score that raters give."""
ROUNDS = 4
"""Rounds of the short table."""
SENTENCES = 3
"""Verdicts in words that a short report shows."""


class RoundsSection(ReportSection):
    """The primary score by round, and the verdicts in words."""

    name = "rounds"
    title = "Rounds"
    order = 200

    def blocks(self, document: Analysis) -> Iterator[Block]:
        yield Heading(self.title, " · ".join(_remarks(document)))
        if not figures.score_names(document):
            yield Paragraph("Nothing was scored.")
        yield from _chart(document, document.primary)
        yield _table(document)
        yield from _references(document)
        if sentence := _chosen_sentence(document):
            yield Note(sentence)
        if document.by_people:
            yield Note(BY_PEOPLE)
        sentences = tuple(
            Paragraph(entry.verdict.words, lead=f"Round {entry.round}:")
            for entry in reversed(document.rounds[1:])
        )
        if sentences:
            yield Bullets(
                sentences, short=SENTENCES, rest="of earlier rounds", folded="The verdicts in words"
            )

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The primary score of the base model, the best and the latest rounds, and on test."""
        primary = document.primary
        digits = score_digits(document, primary)
        columns = (
            Column("round", "word"), Column("verdict", "label"), Column("train rows", "number"),
            Column(score_title(document, primary, 20), "number", strong=True),
            Column("95 % interval", "number", spare=1), Column("change", "number"),
        )  # fmt: skip
        shown, best = figures.shown_rounds(document, ROUNDS), document.best
        sides = [
            (figures.round_name(entry.round, document), entry.train_rows, entry.scores,
             entry.verdict)
            for entry in shown
        ]  # fmt: skip
        if test := document.test:
            sides.append((f"{best.round} on test", best.train_rows, test.kept, test.verdict))
        rows = tuple(
            (name, verdict.label, count, *figures.score_cells(scores.get(primary), digits),
             signed(verdict.difference, digits))
            for name, count, scores, verdict in sides
        )  # fmt: skip
        remark = f"● best round{figures.chosen_mark(document, best, ': ')}"
        hidden = len(document.rounds) - len(shown)
        yield Heading("Scores by round", remark + (f" · {hidden} more rounds" if hidden else ""))
        yield Table(columns, rows, "Primary score by round, and on test", ordered=True)


def _references(document: Analysis) -> Iterator[Note]:
    """What a reference gets against the others of its row, beside the best round."""
    agreement = document.between_references
    if agreement:
        digits = score_digits(document, document.primary)
        who = f"round {agreement.round}" if agreement.round else "the base model"
        yield Note(
            f"A reference scored against the other references of its row gets "
            f"{_estimate(agreement.references, digits)} ({agreement.rows} rows); {who} "
            f"{_estimate(agreement.model, digits)} against the same ones."
        )


def _estimate(figure: Estimate, digits: int) -> str:
    return estimate(figure.value, figure.low, figure.high, digits)


def _remarks(document: Analysis) -> Iterator[str]:
    yield f"● best round{figures.chosen_mark(document, document.best, ': ')}"
    yield "change: against the best round before it"
    if level := figures.bounds_level(document):
        yield level


def _table(document: Analysis) -> Table:
    primary = document.primary
    digits = score_digits(document, primary)
    columns = (
        Column("round", "word"), Column("verdict", "label"), Column("train rows", "number"),
        Column(score_title(document, primary, 20), "number", strong=True),
        Column("95 % interval", "number"), Column("", "bar", spare=1),
        Column("change", "number"), Column("bounds", "number", spare=2),
    )  # fmt: skip
    rows = []
    for entry in document.rounds:
        score, verdict = entry.scores.get(primary, UNSCORED), entry.verdict
        rows.append((
            figures.round_name(entry.round, document), verdict.label, _train_rows(entry),
            *figures.score_cells(score, digits), score.value,
            *figures.change_cells(verdict, digits),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Rounds: verdict and primary score", ordered=True)


def _chart(document: Analysis, name: str) -> Iterator[Chart]:
    """One score by round, each point in its interval; the best round is filled."""
    points = tuple(
        Point(
            entry.round, score.value, score.low, score.high,
            strong=entry.round == document.kept_round,
            tip=figures.chosen_mark(document, entry, ""),
        )
        for entry in document.rounds
        if (score := entry.scores.get(name)) and score.value is not None
    )  # fmt: skip
    if not points:
        return
    first = next(entry.scores[name] for entry in document.rounds if name in entry.scores)
    better = "" if first.higher_is_better else " (lower is better)"
    title = f"{score_title(document, name, 120)} by round{better}"
    chosen = _chosen_score(document, name)
    yield Chart(
        "rounds", title, (Series("", points),), redundant=True,
        remark=f"● {chosen}" if chosen else "", digits=score_digits(document, name),
    )  # fmt: skip


class ScoresSection(ReportSection):
    """All scores but the primary one; how all were measured."""

    name = "scores"
    title = "Other scores"
    order = 1000

    def blocks(self, document: Analysis) -> Iterator[Block]:
        names = [name for name in figures.score_names(document) if name != document.primary]
        if not figures.score_names(document):
            return
        shown, columns = rounds_of(document)
        last = next((e for e in shown if e.round == document.kept_round), shown[-1])
        chosen = figures.chosen_mark(document, last, " · ● ")
        yield Heading(self.title, f"by round · interval: of round {last.round}{chosen}")
        if names:
            heads = (
                Column("score"), *columns, Column("95 % interval", "number"),
                Column("trend", "trend", spare=1), Column("not scored", "number", spare=2),
            )  # fmt: skip
            rows = tuple(_score(document, name, shown, last) for name in names)
            rest = ", ".join(score_title(document, n, 30) for n in names[findings.SHOWN :])
            yield Table(heads, rows, "Other scores by round", findings.SHOWN, rest)
            if sentence := _chosen_sentence(document):
                yield Note(sentence)
            drawn = tuple(chart for name in names for chart in _chart(document, name))
            if drawn:
                yield Details("The same as drawings", drawn)
        yield Details("How the scores were measured", tuple(_measured(document, last)))


def _score(
    document: Analysis, name: str, shown: Sequence[MainRound], last: MainRound
) -> tuple[str | int | tuple[float | None, ...] | None, ...]:
    digits = score_digits(document, name)
    score = last.scores.get(name, UNSCORED)
    return (
        score_title(document, name, 30),
        *(number(_value_of(entry, name), digits) for entry in shown),
        interval(score.low, score.high, digits),
        tuple(_value_of(entry, name) for entry in document.rounds),
        score.unscored,
    )


def _measured(document: Analysis, last: MainRound) -> Iterator[Note | Table]:
    columns = (
        Column("score"), Column("scored", "number"), Column("not scored", "number"),
        Column("better", "word"), Column("signature"),
    )  # fmt: skip
    rows = []
    for name in figures.score_names(document):
        score = last.scores.get(name, UNSCORED)
        better = "higher" if score.higher_is_better else "lower"
        rows.append((
            score_title(document, name, 40), score.n, score.unscored,
            better, score.signature,
        ))  # fmt: skip
    yield Table(columns, tuple(rows), "Scores and their signatures")
    yield Note("Compare two numbers only if their signatures are equal.")


class TestSection(ReportSection):
    """The scores on the test set, once it was opened."""

    name = "test"
    title = "Test set"
    order = 900

    def blocks(self, document: Analysis) -> Iterator[Block]:
        test = document.test
        if not test:
            if sealed := document.sealed:
                yield Heading(self.title, "not opened")
                yield Paragraph(sealed.sentence)
            return
        looks = test.looks
        times = "evaluated once"
        if looks > 1:
            times = f"evaluated {looks} times, over all runs of this folder"
        if test.later:
            times += f", and {test.later} more since"
        yield Heading(self.title, times)
        columns = [Column("score")]
        for side in (terms.shown("key", "baseline"), f"round {document.kept_round}"):
            columns += [Column(side, "number"), Column("95 % interval", "number")]
        rows = tuple(
            (
                score_title(document, name, 30),
                *(
                    text
                    for side in (test.baseline, test.kept)
                    for text in figures.score_cells(side.get(name), score_digits(document, name))
                ),
            )
            for name in figures.score_names(document)
        )
        yield Table(tuple(columns), rows, "Scores on the test set", findings.SHOWN + 1)
        if test.counting:
            yield Note(test.counting)


def _chosen_score(document: Analysis, name: str) -> str:
    """The mark of a score on dev that led to the choice of the round, with its value on test where
    there is one; or nothing."""
    mark = one_line(document.chosen.mark, 60) if document.chosen else ""
    score = document.test.kept.get(name, UNSCORED) if document.test else UNSCORED
    if not mark or score.value is None:
        return mark
    return f"{mark}; test: {number(score.value, score_digits(document, name))}"


def _chosen_sentence(document: Analysis) -> str:
    """What such a mark means."""
    return one_line(document.chosen.sentence, 400) if document.chosen else ""


def _value_of(entry: MainRound, name: str) -> float | None:
    score = entry.scores.get(name)
    return score.value if score else None


def _train_rows(entry: MainRound) -> str | int:
    """Rows of the task, and general ones beside them: ``100``, ``100 + 11 general``."""
    rows = entry.train_rows
    return f"{rows} + {entry.replayed} general" if entry.replayed else rows
