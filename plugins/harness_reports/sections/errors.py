"""What is wrong with the answers, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import harness
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
from harness_reports import categories, findings
from harness_reports.categories import Kind
from harness_reports.figures import Document
from harness_reports.sections.common import incomplete, rounds_of
from harness_reports.terms import in_words

DRAWN = 8
BIN = 10
"""Words in a bin of the histograms; the last is open."""
LAST_BIN = 200
LEAST_BINS = 3
"""Bins with a text from which on a histogram says more than a sentence."""
Lengths = Mapping[int, int]
"""First number of words of a bin -> texts."""


class ErrorsSection(harness.Section):
    """Error categories by round with their definitions, the unexplained answers, and lengths."""

    name = "errors"
    title = "Error categories on dev"
    order = 1400
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        document = in_words(document)
        shown, left = categories.shown_kinds(document)
        notices = list(incomplete(document, "categories", "unexplained"))
        if shown or notices:
            yield Heading(self.title, "answers of each category, by round")
        yield from notices
        if shown:
            yield from _chart(document)
            yield _table(document, [*shown, *left], len(shown))
            if document["not_looked_for"]:
                yield Note(document["not_looked_for"])
            seen = {kind.name for kind in (*shown, *left)}
            yield from _unseen({n: d for n, d in document["definitions"].items() if n not in seen})
        yield from _lengths(document)


def _chart(document: Document) -> Iterator[Block]:
    """What training fixed and what is left: a bar of the base model and one of the best round."""
    shown, left = categories.shown_kinds(document, DRAWN)
    compared = [entry["round"] for entry in _compared(document)]
    drawn = [kind for kind in shown if any(kind.by_round.get(at) for at in compared)]
    series = tuple(
        Series(
            f"round {entry['round']}",
            tuple(Point(kind.name, kind.by_round.get(entry["round"], 0)) for kind in drawn),
        )
        for entry in _compared(document)
    )
    omitted = categories.left_out(left).removeprefix("and ")
    remark = f"Not drawn: {omitted}." if omitted else ""
    title = "Answers on dev of each error category"
    yield Chart("bars", title, series, remark=remark, digits=0, redundant=True)


def _compared(document: Document) -> list[Document]:
    """The base model and the best round, or the latest where no round was kept."""
    rounds = document["rounds"]
    now = findings.kept_round(document) if document["kept_round"] else rounds[-1]
    return [rounds[0], now] if now["round"] else [rounds[0]]


def _table(document: Document, kinds: Sequence[Kind], short: int) -> Table:
    rounds, heads = rounds_of(document)
    at = document["kept_round"]
    columns = (
        Column("category"), *heads, Column(f"round {at}", "bar", spare=1),
        Column("what it is", spare=2),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            kind.name, *(kind.by_round.get(entry["round"], 0) for entry in rounds),
            kind.by_round.get(at, 0), kind.definition,
        )
        for kind in kinds
    )  # fmt: skip
    most = max((kind.most for kind in kinds[short:]), default=0)
    rest = f"each in at most {most} answer{'' if most == 1 else 's'} of any round"
    return Table(columns, rows, "Error categories by round", short, rest)


def _unseen(definitions: Mapping[str, str]) -> Iterator[Block]:
    if definitions:
        items = tuple(Paragraph(text, lead=name) for name, text in definitions.items())
        summary = f"{len(definitions)} more categories were checked and have no answers"
        yield Details(summary, (Bullets(items),))


def _lengths(document: Document) -> Iterator[Block]:
    """Words of the answers against the references', by round, as shares upon one scale.

    Rows without a reference make the totals differ.
    """
    yield from incomplete(document, "answer_lengths", "reference_lengths")
    answers: dict[int, dict[int, int]] = {}
    for row in findings.table(document, "answer_lengths"):
        answers.setdefault(row["round"], {})[row["words"] or 0] = row["answers"]
    references = {
        row["words"] or 0: row["answers"] for row in findings.table(document, "reference_lengths")
    }
    rounds = [entry["round"] for entry in _compared(document)]
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


class CausesSection(harness.Section):
    """Likeliest causes of the failing answers, each with a suggested action."""

    name = "causes"
    title = "Likeliest causes"
    order = 1500
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        document = in_words(document)
        causes = categories.causes(document)
        notices = list(incomplete(document, "causes"))
        if not causes and not notices:
            return
        about = f"round {document['kept_round']} · {categories.explained(document)}"
        yield Heading(self.title, about if causes else "")
        yield from notices
        if not causes:
            return
        columns = (
            Column("cause", strong=True), Column("answers", "number"), Column("", "bar", spare=1),
            Column("what it means"), Column("suggested action"), Column("new data", "word"),
            Column("such as", spare=2),
        )  # fmt: skip
        rows = tuple(
            (
                cause.name, cause.answers, cause.answers, cause.definition, cause.remedy,
                "yes" if cause.by_data else "no", ", ".join(str(id) for id in cause.ids[:3]),
            )
            for cause in causes
        )  # fmt: skip
        left = sum(cause.answers for cause in causes[findings.SHOWN :])
        caption, rest = "Likeliest causes of failing answers", f"rarer, of {left} answers"
        yield Table(columns, rows, caption, findings.SHOWN, rest)
