"""What is wrong with the answers, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness import Analysis
from harness.kit.blocks import (
    Block,
    Bullets,
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
)
from harness.records.analysis import (
    AnswerLength,
    CategoryCount,
    CauseCount,
    ReferenceLength,
    RightCount,
    UnexplainedCount,
)
from harness.records.summary import MainRound
from harness_reports import findings
from harness_reports.outcomes import wrong
from harness_reports.sections.common import ReportSection, headed, incomplete, rounds_of
from harness_reports.terms import in_words

UNEXPLAINED, NO_DETECTOR = "unexplained", "fails, and no detector found why"
"""The category of answers that no detector explains, and what is said of it where the document does
not define it."""
KINDS = 6
"""Kinds of errors that a terminal shows."""
DRAWN = 8
"""Kinds of errors that a chart has."""
BIN = 10
"""Words in a bin of the histograms; the last is open."""
LAST_BIN = 200
LEAST_BINS = 3
"""Bins with a text from which on a histogram says more than a sentence."""
Lengths = Mapping[int, int]
"""First number of words of a bin -> texts."""


class ErrorsSection(ReportSection):
    """Error categories by round with their definitions, the unexplained answers, and lengths."""

    name = "errors"
    title = "Error categories on dev"
    order = 1400

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        shown, left = shown_kinds(document)
        heading = Heading(self.title, "answers of each category, by round")
        yield from headed(document, heading, shown, "categories", "unexplained")
        if shown:
            yield from _chart(document)
            yield _table(document, [*shown, *left], len(shown))
            if document.not_looked_for:
                yield Note(document.not_looked_for)
            seen = {kind.name for kind in (*shown, *left)}
            yield from _unseen({n: d for n, d in document.definitions.items() if n not in seen})
        yield from _lengths(document)


def _chart(document: Analysis) -> Iterator[Block]:
    """What training fixed and what is left: a bar of the base model and one of the best round."""
    shown, left = shown_kinds(document, DRAWN)
    compared = [entry.round for entry in _compared(document)]
    drawn = [kind for kind in shown if any(kind.by_round.get(at) for at in compared)]
    series = tuple(
        Series(
            f"round {entry.round}",
            tuple(Point(kind.name, kind.by_round.get(entry.round, 0)) for kind in drawn),
        )
        for entry in _compared(document)
    )
    remark = f"Not drawn: {_left_out(left)}." if left else ""
    title = "Answers on dev of each error category"
    yield Chart("bars", title, series, remark=remark, digits=0, redundant=True)


def _compared(document: Analysis) -> list[MainRound]:
    """The base model and the best round, or the latest where no round was kept."""
    rounds = document.rounds
    now = document.best if document.kept_round else rounds[-1]
    return [rounds[0], now] if now.round else [rounds[0]]


def _table(document: Analysis, present: Sequence[Kind], short: int) -> Table:
    rounds, heads = rounds_of(document)
    at = document.kept_round
    columns = (
        Column("category"), *heads, Column(f"round {at}", "bar", spare=1),
        Column("what it is", spare=2),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            kind.name, *(kind.by_round.get(entry.round, 0) for entry in rounds),
            kind.by_round.get(at, 0), kind.definition,
        )
        for kind in present
    )  # fmt: skip
    most = max((kind.most for kind in present[short:]), default=0)
    rest = f"each in at most {most} answer{'' if most == 1 else 's'} of any round"
    return Table(columns, rows, "Error categories by round", short, rest)


def _unseen(definitions: Mapping[str, str]) -> Iterator[Block]:
    if definitions:
        items = tuple(Paragraph(text, lead=name) for name, text in definitions.items())
        summary = f"{len(definitions)} more categories were checked and have no answers"
        yield Details(summary, (Bullets(items),))


def _lengths(document: Analysis) -> Iterator[Block]:
    """Words of the answers against the references', by round, as shares upon one scale.

    Rows without a reference make the totals differ.
    """
    yield from incomplete(document, "answer_lengths", "reference_lengths")
    answers: dict[int, dict[int, int]] = {}
    for row in document.rows(AnswerLength):
        answers.setdefault(row.round, {})[row.words] = row.answers
    references = {row.words: row.answers for row in document.rows(ReferenceLength)}
    rounds = [entry.round for entry in _compared(document)]
    shown = {at: answers[at] for at in rounds if answers.get(at)}
    if not shown:
        return
    occupied = {
        words for lengths in (*shown.values(), references) for words, n in lengths.items() if n
    }
    if len(occupied) < LEAST_BINS:
        bins_named = " or ".join(map(bin_name, sorted(occupied)))
        yield Note(f"All answers and references have {bins_named} words.")
        return
    about = "words of the answers (bars) and of the references (outline), as shares of each"
    yield Heading("Lengths", about, 3)
    last = max([*(words for lengths in shown.values() for words in lengths), *references, 3 * BIN])
    bins = range(0, last + BIN, BIN)
    top = max(max(_shares(lengths, bins)) for lengths in (*shown.values(), references))
    for at, lengths in shown.items():
        series = (_bars("answers", lengths, bins), _bars("references", references, bins))
        title = f"Lengths in round {at}"
        yield Chart("histogram", title, series[: 1 + bool(references)], (0.0, top), unit="%",
                    digits=0, redundant=True)  # fmt: skip
    yield Details("The same in numbers", (_length_table(shown, references),))


def _shares(counts: Lengths, bins: range) -> list[float]:
    total = sum(counts.values()) or 1
    return [counts.get(words, 0) / total for words in bins]


def _bars(name: str, counts: Lengths, bins: range) -> Series:
    points = tuple(
        Point(bin_name(words), share, tip=f"{counts.get(words, 0)} {name}")
        for words, share in zip(bins, _shares(counts, bins), strict=True)
    )
    return Series(name, points)


def bin_name(words: int) -> str:
    """The bin that begins with so many words."""
    return f"{words}+" if words >= LAST_BIN else f"{words}–{words + BIN - 1}"


def _length_table(answers: Mapping[int, Lengths], references: Lengths) -> Table:
    sides = [*answers.values(), references]
    columns = (
        Column("words", "word"), *(Column(f"round {at}", "number") for at in answers),
        Column("references", "number"),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (bin_name(words), *(side.get(words, 0) for side in sides))
        for words in sorted({words for side in sides for words in side})
    )
    return Table(columns, rows, "Answers and references by length in words", ordered=True)


class CausesSection(ReportSection):
    """Likeliest causes of the failing answers, each with a suggested action."""

    name = "causes"
    title = "Likeliest causes"
    order = 1500

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        causes = document.rows(CauseCount)  # the commonest first
        about = f"round {document.kept_round} · {_explained(document, causes)}"
        heading = Heading(self.title, about if causes else "")
        yield from headed(document, heading, causes, "causes")
        if not causes:
            return
        columns = (
            Column("cause", strong=True), Column("answers", "number"), Column("", "bar", spare=1),
            Column("what it means"), Column("suggested action"), Column("new data", "word"),
            Column("such as", spare=2),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for cause in causes:
            known = document.causes_known.get(cause.cause)
            rows.append((
                cause.cause, cause.answers, cause.answers, known.definition if known else "",
                cause.remedy, "yes" if known and known.by_data else "no",
                ", ".join(cause.ids[:3]),
            ))  # fmt: skip
        rare = sum(cause.answers for cause in causes[findings.SHOWN :])
        caption, rest = "Likeliest causes of failing answers", f"rarer, of {rare} answers"
        yield Table(columns, tuple(rows), caption, findings.SHOWN, rest)


def _explained(document: Analysis, causes: Sequence[CauseCount]) -> str:
    """``82 of 100 failing answers``: those that have a likeliest cause."""
    total, failing = sum(cause.answers for cause in causes), wrong(document)
    return f"{total} of {failing} failing answers" if failing else f"{total} failing answers"


# -- which categories are shown --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """An error category.

    Attributes:
        by_round: round -> answers that show it.
        definition: one line, or an empty text.
    """

    name: str
    by_round: Mapping[int, int] = field(default_factory=dict)
    definition: str = ""

    @property
    def most(self) -> int:
        """Its largest count of any round."""
        return max(self.by_round.values(), default=0)

    def change(self, at: int) -> int:
        """How far its count of this round is from that of the base model."""
        return abs(self.by_round.get(at, 0) - self.by_round.get(0, 0))


def kinds(document: Analysis) -> list[Kind]:
    """All error categories but the unexplained, by their largest count of any round.

    So what the rounds fixed ranks with what is left: a category that fell from 158 answers to
    none comes before one that always had 12.
    """
    counts: dict[str, dict[int, int]] = {}
    for row in document.rows(CategoryCount):
        counts.setdefault(row.category, {})[row.round] = row.answers
    if not counts:
        for entry in document.rounds:
            for name, n in entry.errors.items():
                counts.setdefault(name, {})[entry.round] = n
    if unexplained(document):
        counts.pop(UNEXPLAINED, None)
    definitions, at = document.definitions, document.kept_round
    return sorted(
        (Kind(name, by, definitions.get(name, "")) for name, by in counts.items()),
        key=lambda kind: (-kind.most, -kind.by_round.get(at, 0), kind.name),
    )


def unexplained(document: Analysis) -> Kind | None:
    """Failing answers of no known category; None where it is unknown which answers pass."""
    judged = [row for row in document.rows(RightCount) if row.is_right + row.wrong]
    if not judged or UnexplainedCount.table not in document.tables:
        return None
    counts = {row.round: row.answers for row in document.rows(UnexplainedCount)}
    definition = document.definitions.get(UNEXPLAINED, NO_DETECTOR)
    return Kind(UNEXPLAINED, {row.round: counts.get(row.round, 0) for row in judged}, definition)


def shown_kinds(document: Analysis, most: int = KINDS) -> tuple[list[Kind], list[Kind]]:
    """The categories that a report shows, the unexplained last, and those that it leaves out.

    Half of the places go to the largest changes between the base model and the best round, so
    that what training fixed is seen; half to the largest counts of the best round.
    """
    present = [kind for kind in kinds(document) if any(kind.by_round.values())]
    at = document.kept_round
    changed = sorted(present, key=lambda kind: (-kind.change(at), present.index(kind)))
    commonest = sorted(present, key=lambda kind: (-kind.by_round.get(at, 0), present.index(kind)))
    in_turn = (kind.name for both in zip(changed, commonest, strict=True) for kind in both)
    names = set(list(dict.fromkeys(in_turn))[:most])
    shown = [kind for kind in present if kind.name in names]
    no_category = unexplained(document)
    left = [kind for kind in present if kind.name not in names]
    return [*shown, *([no_category] if no_category else [])], left


def _left_out(others: Sequence[Kind]) -> str:
    """``4 more categories, each in at most 12 answers of any round``."""
    top = max(kind.most for kind in others)
    answers = f"{top} answer{'' if top == 1 else 's'} of any round"
    if len(others) == 1:
        return f"one more category, in at most {answers}"
    return f"{len(others)} more categories, each in at most {answers}"
