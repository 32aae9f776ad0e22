"""Where and why the model is wrong: weak slices, what changed, categories, causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.kit import numbers
from harness.kit.numbers import interval, number, signed
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.findings import Kind
from harness_reports.html import bars
from harness_reports.html.markup import Html, element, joined, name, table

MOST_SLICES = 12
MOST_DOUBTFUL = 50
MOST_KINDS = 8


def failed(document: Document, *parts: str) -> Html | None:
    """A notice for each of these parts that could not be made."""
    told = {query.get("name"): query.get("what") for query in document["queries"]}
    notices = [
        element("p", "This part is incomplete. It could not be found out: ",
                told.get(part) or part, ". ", element("span", reason, class_="dim"),
                class_="failed", role="note")
        for part, reason in document["failed"].items() if part in parts
    ]  # fmt: skip
    return joined(notices) if notices else None


def slices(document: Document) -> Html:
    """Slices whose weakness holds; then those that were looked at and may be chance."""
    at, holding, doubtful = findings.weak(document)
    digits = figures.score_digits(document, document["primary"])
    parts = [failed(document, "slice_errors")]
    if not holding:
        told = "No slice of dev is weak by more than chance"
        told += "; the gaps below may be noise." if doubtful else "."
        parts.append(element("p", told))
    if holding or doubtful:
        told = f"Found after round {at}. A gap is the score of all other rows minus that of the "
        told += "slice, with its 95 % interval. Filled: it holds; hollow: it may be chance."
        parts.append(element("p", told, class_="note"))
        score = figures.score_title(document, document["primary"], 80)
        parts.append(bars.forest([*holding, *doubtful][:MOST_SLICES], score, digits))
    if holding:
        parts.append(_slices(document, at, holding, digits, "Weak slices that hold"))
    if doubtful:
        shown = doubtful[:MOST_DOUBTFUL]
        inner = _slices(document, at, shown, digits, "Slices that may be chance")
        summary = element("summary", f"{len(doubtful)} more below the rest that may be chance")
        parts.append(element("details", summary, inner))
    return joined(parts)


def _slices(
    document: Document, at: int, pieces: Sequence[Document], digits: int, caption: str
) -> Html:
    columns = [
        ("slice", ""), ("rows", "n"), ("groups", "n"), ("score", "n"), ("gap", "n"),
        ("95 % interval", "n"), ("q", "n"), ("commonest errors", ""),
    ]  # fmt: skip
    rows = [
        (
            name(findings.slice_name(piece, 200), 220),
            count(piece["n"]),
            count(piece["groups"]),
            number(piece["score"], digits),
            signed(piece["gap"], digits),
            interval(piece["low"], piece["high"], digits),
            number(piece.get("q"), 3),
            findings.slice_kinds(document, at, piece["slice"]),
        )
        for piece in pieces
    ]
    return table(columns, rows, caption)


def count(value: Any) -> str:
    return numbers.DASH if value is None else str(value)


def changes(document: Document) -> Html:
    """What each round fixed and broke, and what became of each dev row over all rounds."""
    by_round, ledger = findings.changes(document), findings.ledger(document)
    rightness = findings.rightness(document)
    parts = [failed(document, "ledger", "changes", "right")]
    if rightness:
        parts.append(element("p", f"{rightness[:1].upper()}{rightness[1:]}.", class_="note"))
    if not by_round and not ledger:
        parts.append(element("p", "No answer was followed from round to round."))
    if by_round:
        columns = [
            ("round", "s"), ("right", "n"), ("judged", "n"), ("against", "n"), ("fixed", "n"),
            ("broken", "n"), ("net", "n"),
        ]  # fmt: skip
        rows = [
            (*(count(row[key]) for key in ("round", "right", "judged", "against", "fixed",
                                           "broken")), f"{row['fixed'] - row['broken']:+d}")
            for row in by_round
        ]  # fmt: skip
        parts.append(table(columns, rows, "Answers fixed and broken by round"))
    if ledger:
        courses = [(name(course), str(n)) for course, n in ledger]
        parts.append(table([("over all rounds", "s"), ("dev rows", "n")], courses, "Ledger"))
    return joined(parts)


def categories(document: Document) -> Html:
    """Kinds of errors by round with their definitions, the unexplained ones, and lengths."""
    kinds = [kind for kind in findings.kinds(document) if any(kind.by_round.values())]
    rest = findings.unexplained(document)
    shown = [*kinds, *([rest] if rest else [])]
    parts = [failed(document, "categories", "unexplained")]
    if not kinds:
        parts.append(element("p", "No answer shows a kind of error that was looked for."))
    charted, left = findings.shown_kinds(document, MOST_KINDS)
    parts.append(bars.categories(document, charted))
    if left:
        told = f"Not drawn: {findings.left_out(left).removeprefix('and ')}."
        parts.append(element("p", told, class_="note"))
    parts.append(_kinds(document, shown))
    if document["not_looked_for"]:
        parts.append(element("p", document["not_looked_for"], class_="note"))
    seen = {kind.name for kind in shown}
    parts.append(_unseen({n: d for n, d in document["definitions"].items() if n not in seen}))
    return joined(parts, _lengths(document))


def _kinds(document: Document, kinds: Sequence[Kind]) -> Html | None:
    rounds = figures.shown_rounds(document, 8)
    columns = [
        ("kind", ""), *((f"round {figures.round_name(entry, document)}", "n") for entry in rounds),
        ("what it is", ""),
    ]  # fmt: skip
    rows = [
        (
            name(kind.name),
            *(count(kind.by_round.get(entry["round"], 0)) for entry in rounds),
            kind.definition,
        )
        for kind in kinds
    ]
    return table(columns, rows, "Kinds of errors by round") if rows else None


def _unseen(definitions: dict[str, str]) -> Html | None:
    if not definitions:
        return None
    listed = [(element("dt", name(kind)), element("dd", d)) for kind, d in definitions.items()]
    summary = element("summary", f"{len(definitions)} more kinds were looked for and not found")
    return element("details", summary, element("dl", listed))


def _lengths(document: Document) -> Html | None:
    answers: dict[int, dict[int, int]] = {}
    for row in findings.table(document, "answer_lengths"):
        answers.setdefault(row["round"], {})[row["words"] or 0] = row["answers"]
    references = {
        row["words"] or 0: row["answers"] for row in findings.table(document, "reference_lengths")
    }
    notice = failed(document, "answer_lengths", "reference_lengths")
    rounds = [entry["round"] for entry in figures.shown_rounds(document, 4)]
    shown = {at: answers[at] for at in rounds if answers.get(at)}
    drawn = bars.lengths(shown, references) if shown else []
    if not drawn and not notice:
        return None
    told = "Words of the answers (bars) and of the references (outline), as shares of each."
    return joined(
        element("h3", "Lengths"), notice, element("p", told, class_="note"),
        element("div", drawn, class_="charts"), _length_table(rounds, answers, references),
    )  # fmt: skip


def _length_table(
    rounds: Sequence[int], answers: dict[int, dict[int, int]], references: dict[int, int]
) -> Html:
    sides = [*(answers.get(at, {}) for at in rounds), references]
    columns = [("words", "s"), *((f"round {at}", "n") for at in rounds), ("references", "n")]
    rows = [
        (bars.bin_name(words), *(str(side.get(words, 0)) for side in sides))
        for words in sorted({words for side in sides for words in side})
    ]
    summary = element("summary", "The same in numbers")
    shown = table(columns, rows, "Answers and references by length in words", sortable=False)
    return element("details", summary, shown)


def causes(document: Document) -> Html:
    """Likeliest causes of the wrong answers, each with its remedy."""
    found = findings.causes(document)
    notice = failed(document, "causes")
    if not found:
        known = document["causes_known"]
        told = "No cause was found." if known else "No plugin looked for causes."
        return joined(notice, element("p", told))
    columns = [("cause", ""), ("answers", "n"), ("what it is", ""), ("remedy", ""), ("such as", "")]
    rows = [
        (
            name(cause.name),
            str(cause.answers),
            cause.definition,
            f"{cause.remedy or numbers.DASH}{' (new data)' if cause.by_data else ''}",
            name(", ".join(str(one) for one in cause.ids), 200),
        )
        for cause in found
    ]
    told = f"By likeliest cause: {findings.explained(document)} of the kept round."
    return joined(
        notice, element("p", told, class_="note"),
        table(columns, rows, "Likeliest causes of wrong answers"),
    )  # fmt: skip
