"""What people said: how far they are, scores, preferences, agreement, errors, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness_reports import figures, people
from harness_reports.figures import DASH, Document, number
from harness_reports.markdown.pieces import bullets, more, safe, section, table

MOST = 20
"""Rows of a table."""


def part(document: Document) -> str:
    """The section, or nothing where nobody has rated."""
    found = people.batches(document)
    if not found:
        return ""
    return section(
        people.TITLE, f"{people.extent(document).capitalize()}.", _batches(found),
        *_scores(document), *_compared(document), *_agreement(document), *_raters(document),
        *_named(document), *_metrics(document),
    )  # fmt: skip


def _batches(found: list[Document]) -> str:
    rows = [
        [
            str(row["number"]), safe(row["batch"], 80), safe(people.rubric(row), 80),
            people.rounds(row), safe(people.sample(row), 40), f"{row['rated']} of {row['items']}",
            ", ".join(safe(rater, 40) for rater in row["raters"][:20]),
        ]
        for row in found[:MOST]
    ]  # fmt: skip
    heads = ["", "batch", "rubric", "rounds", "sample", "rated", "raters"]
    left = more(len(found) - MOST)
    notes = [f"\\{mark} {told}".replace("\\†", "†") for mark, told in people.purposes(found)]
    return "\n\n".join(one for one in (table(heads, rows, (0, 5)), left, *notes) if one)


def _part(title: str, body: str, count: int, note: str = "") -> Iterable[str]:
    yield f"### {title}"
    yield body
    yield more(count - MOST)
    yield note


def _which(document: Document, row: Document) -> list[str]:
    return [people.number_of(document, row)] if people.several(document) else []


def _table(document: Document, heads: Sequence[str], rows: list[list[str]], right: set[int]) -> str:
    """A table whose rows begin with the batch's number where there are several."""
    if not people.several(document):
        return table(heads, rows, right)
    return table(["batch", *heads], rows, {0, *(place + 1 for place in right)})


def _scores(document: Document) -> Iterable[str]:
    rounds, found, clash = people.scores(document, 6)
    if not found:
        return ()
    named = people.several_rubrics(found)
    rows = [
        [
            safe(f"{one.rubric}: {one.title}" if named else one.title, 100),
            *(people.value(one.by_round.get(at)) for at in rounds),
        ]
        for one in found[:MOST]
    ]
    heads = ["criterion", *(f"round {at}" for at in rounds)]
    note = f"{people.CLASH.capitalize()}." if clash else ""
    return _part("Scores by round, 0 to 1", table(heads, rows, ()), len(found), note)


def _compared(document: Document) -> Iterable[str]:
    found = people.compared(document)
    if not found:
        return ()
    rows = [
        [
            *_which(document, row), safe(row["title"], 60), f"{row['round']} against "
            f"{row['against']}", str(row["wins"]), str(row["ties"]), str(row["losses"]),
            people.span(row, "win_rate"), people.span(row, "difference", plus=True),
            f"{figures.MARKS.get(row['label'], '?')} {safe(row['label'], 30)}",
        ]
        for row in found[:MOST]
    ]  # fmt: skip
    heads = ["criterion", "rounds", "better", "equal", "worse", "win rate", "difference", "verdict"]
    body = _table(document, heads, rows, {2, 3, 4})
    note = f"{people.MANY.capitalize()}." if people.many(document) else ""
    return _part("Later round against earlier", body, len(found), note)


def _agreement(document: Document) -> Iterable[str]:
    found = people.agreement(document)
    if not found:
        return ()
    rows = [
        [
            *_which(document, row), safe(row["title"], 60), number(row["n"], 0),
            people.span(row, "alpha"), people.span(row, "kappa"),
            DASH if row["raw"] is None else f"{100 * row['raw']:.0f} %",
            safe(people.reading(row)),
        ]
        for row in found[:MOST]
    ]  # fmt: skip
    heads = ["criterion", "rated twice", "alpha", "kappa", "equal", "in words"]
    note = f"{people.ALPHA.capitalize()}."
    return _part("Agreement of raters", _table(document, heads, rows, {1, 4}), len(found), note)


def _raters(document: Document) -> Iterable[str]:
    found = people.raters(document)
    if not found:
        return ()
    rows = [
        [
            *_which(document, row), safe(row["rater"], 60), number(row["done"], 0),
            people.seconds(row), people.span(row, "severity", plus=True), safe(row["title"], 60),
            people.steadiness(row),
        ]
        for row in found[:MOST]
    ]  # fmt: skip
    heads = ["rater", "done", "an item", "severity", "in", "same again"]
    note = f"Severity: {people.SEVERITY}. Same again: of hidden repeats."
    return _part("Raters", _table(document, heads, rows, {1, 2}), len(found), note)


def _named(document: Document) -> Iterable[str]:
    rounds, kinds, rated = people.named(document, 6)
    if not kinds:
        return ()
    rows = [
        [safe(kind.name, 80), *(str(kind.by_round.get(at, 0)) for at in rounds)]
        for kind in kinds[:MOST]
    ]
    rows.append(["of so many rated", *(str(rated[at]) for at in rounds)])
    heads = ["kind", *(f"round {at}" for at in rounds)]
    body = table(heads, rows, range(1, len(heads)))
    note = f"{people.BY_BATCH[:1].upper()}{people.BY_BATCH[1:]}."
    return _part("Errors that people named, in answers", body, len(kinds), note)


def _metrics(document: Document) -> Iterable[str]:
    found = people.metrics(document)
    body = bullets(safe(sentence, 400) for sentence in found[:MOST])
    return _part("Which metric can be believed", body, len(found)) if found else ()
