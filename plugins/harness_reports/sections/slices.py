"""Underperforming slices, and what the rounds fixed and what regressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import Analysis
from harness.kit.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
    Tone,
)
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import DASH, interval, number
from harness.kit.text import one_line
from harness.records.analysis import SliceErrorCount
from harness.records.summary import UNSCORED, ShownSlice
from harness_reports import figures, findings, outcomes
from harness_reports.sections.common import ReportSection, headed
from harness_reports.terms import in_words

DRAWN = 12
DOUBTFUL = 50
TONES: dict[str, Tone] = {
    "fixed": "good", "regressed": "bad", "always pass": "base", "never pass": "bad",
    "flaky": "open",
}  # fmt: skip


class SlicesSection(ReportSection):
    """Underperforming slices; then those below the rest that may be chance, folded away."""

    name = "slices"
    title = "Underperforming slices"
    order = 1200

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        at, held, others = findings.weak(document)
        score = score_title(document, document.primary, 60)
        heading = Heading(self.title, f"round {at} · gap: {score} below the rest")
        yield from headed(document, heading, held or others, "slice_errors")
        if held:
            yield from _chart(document, held, "below the rest")
            rest, caption = "with smaller gaps", "Underperforming slices"
            yield _table(document, at, held, caption, findings.SHOWN, rest)
        elif others:
            yield Paragraph("None: no slice is below the rest by more than chance.")
        if others:
            yield from _doubtful(document, at, others, drawn=not held)


def _chart(document: Analysis, pieces: Sequence[ShownSlice], what: str) -> Iterator[Chart]:
    """The first of them as points in their intervals."""
    points = tuple(
        Point(
            _slice_name(piece, 80), findings.gap(piece), piece.low, piece.high,
            strong=findings.holds(piece), tip=f"{piece.n} rows",
        )
        for piece in pieces[:DRAWN]
    )  # fmt: skip
    if points:
        title = f"{score_title(document, document.primary, 80)} {what}"
        digits = score_digits(document, document.primary)
        yield Chart("gaps", title, (Series("", points),), digits=digits, redundant=True)


def _doubtful(
    document: Analysis, at: int, others: list[ShownSlice], *, drawn: bool
) -> Iterator[Block]:
    """Slices below the rest that may be chance; drawn where no other slices are."""
    shown = _table(document, at, others[:DOUBTFUL], "Slices that may be chance", None, "")
    chart = _chart(document, others, "below the rest, which may be chance") if drawn else ()
    subject = f"{len(others)} more slices are" if len(others) > 1 else "1 more slice is"
    yield Details(f"{subject} below the rest, which may be chance", (*chart, shown))


def _table(
    document: Analysis, at: int, pieces: Sequence[ShownSlice], caption: str, short: int | None,
    rest: str,
) -> Table:  # fmt: skip
    digits = score_digits(document, document.primary)
    kinds = [slice_kinds(document, at, piece.slice) for piece in pieces]
    columns = [
        Column("slice"), Column("rows", "number"), Column("groups", "number", spare=3),
        Column("score", "number", spare=4), Column("gap", "number", strong=True),
        Column("interval", "number"), Column("", "span", spare=1),
        Column("q", "number", spare=5),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            _slice_name(piece, 120), number(piece.n, 0), number(piece.groups, 0),
            number(piece.score, digits), number(piece.gap, digits),
            interval(piece.low, piece.high, digits),
            (piece.low, piece.gap, piece.high), number(piece.q, 3),
        )
        for piece in pieces
    ]  # fmt: skip
    if any(kinds):
        columns.append(Column("commonest errors", spare=2))
        rows = [(*row, common) for row, common in zip(rows, kinds, strict=True)]
    return Table(tuple(columns), tuple(rows), caption, short, rest)


class ChangesSection(ReportSection):
    """What each round fixed, what regressed, and what became of each dev row over all rounds."""

    name = "changes"
    title = "Fixed and regressed"
    order = 1300

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        by_round, ledger = outcomes.changes(document), outcomes.ledger(document)
        remark = _pass_threshold(document)
        unknown = bool(document.tables) and document.right_at is None
        heading, shown = (
            Heading(self.title, "" if unknown else remark),
            by_round or ledger or unknown,
        )
        yield from headed(document, heading, shown, "ledger", "changes", "right")
        if unknown:
            yield Note(remark)
        if ledger:
            points = tuple(Point(kind, n, tone=TONES.get(kind, "base")) for kind, n in ledger)
            title = "Dev rows over all rounds"
            yield Chart("shares", title, (Series("", points),), digits=0)
        if by_round:
            columns = (
                Column("round", "word"), Column("against", "word"),
                Column("pass", "word", "right"), Column("regressed", "number"),
                Column("", "bar", spare=1), Column("fixed", "number"),
                Column("", "bar", spare=1), Column("net", "number", spare=2),
            )  # fmt: skip
            rows = tuple(
                (
                    figures.round_name(row.round, document),
                    DASH if row.against is None else str(row.against),
                    f"{right.is_right} of {right.is_right + right.wrong}", row.broken, row.broken,
                    row.fixed, row.fixed, f"{row.fixed - row.broken:+d}",
                )
                for right, row in by_round
            )  # fmt: skip
            yield Table(columns, rows, "Answers fixed and regressed by round", ordered=True)


def _slice_name(piece: ShownSlice, limit: int) -> str:
    """Its conditions; a slice that only the reply shows is marked, since no row can be planned."""
    reply = "" if piece.from_prompt else " (reply)"
    return one_line(piece.slice, limit) + reply


def slice_kinds(document: Analysis, at: int, name: str, most: int = 3) -> str:
    """``off topic 12, truncated 5``: commonest error categories of a slice of the best round."""
    if at != document.kept_round:
        return ""
    rows = [row for row in document.rows(SliceErrorCount) if row.slice == name]
    ordered = sorted(rows, key=lambda row: (-row.answers, row.category))
    return ", ".join(f"{one_line(r.category, 40)} {r.answers}" for r in ordered[:most])


def _pass_threshold(document: Analysis) -> str:
    """From which score on an answer passes, or that nothing says so."""
    primary, at = document.primary, document.right_at
    if at is None:
        return f"{primary} has no pass threshold (right_at), so no answer passes or fails"
    score = document.best.scores.get(primary, UNSCORED)
    side = "at least" if score.higher_is_better else "at most"
    return f"pass threshold: {score_title(document, primary, 80)} {side} {at:g}"
