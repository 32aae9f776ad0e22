"""The scores behind the verdict: by round, all others, and on the test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import harness
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
from harness.kit.documents import score_digits, score_title, words_of
from harness.kit.numbers import interval, number, signed, span
from harness.kit.text import one_line
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.sections.common import rounds_of

BY_PEOPLE = "change: by raters who rated both rounds in one batch"
"""Of a primary score that raters give."""
ROUNDS = 4
"""Rounds of the short table."""
SENTENCES = 3
"""Verdicts in words that a short report shows."""


class RoundsSection(harness.Section):
    """The primary score by round, and the verdicts in words."""

    name = "rounds"
    title = "Rounds"
    order = 200
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        yield Heading(self.title, " · ".join(_remarks(document)))
        if not figures.score_names(document):
            yield Paragraph("Nothing was scored.")
        yield from _chart(document, document["primary"])
        yield _table(document)
        yield from _references(document)
        if sentence := _chosen_sentence(document):
            yield Note(sentence)
        if document["by_people"]:
            yield Note(BY_PEOPLE)
        sentences = tuple(
            Paragraph(words_of(entry["verdict"]), lead=f"Round {entry['round']}:")
            for entry in reversed(document["rounds"][1:])
        )
        if sentences:
            yield Bullets(
                sentences, short=SENTENCES, rest="of earlier rounds", folded="The verdicts in words"
            )

    def in_short(self, document: Document) -> Iterator[Block]:
        """The primary score of the base model, the best and the latest rounds, and on test."""
        primary = document["primary"]
        digits = score_digits(document, primary)
        columns = (
            Column("round", "word"), Column("verdict", "label"), Column("train rows", "number"),
            Column(score_title(document, primary, 20), "number", strong=True),
            Column("95 % interval", "number", spare=1), Column("change", "number"),
        )  # fmt: skip
        shown = figures.shown_rounds(document, ROUNDS)
        rows = [
            (
                figures.round_name(entry, document), entry["verdict"]["label"], entry["train_rows"],
                *_value(entry["scores"].get(primary), digits),
                signed(entry["verdict"]["difference"], digits),
            )
            for entry in shown
        ]  # fmt: skip
        best = findings.kept_round(document)
        if test := document["test"]:
            verdict = test["verdict"]
            rows.append((
                f"{best['round']} on test", verdict["label"], best["train_rows"],
                *_value(test["kept"].get(primary), digits), signed(verdict["difference"], digits),
            ))  # fmt: skip
        remark = f"● best round{figures.chosen_mark(document, best, ': ')}"
        hidden = len(document["rounds"]) - len(shown)
        yield Heading("Scores by round", remark + (f" · {hidden} more rounds" if hidden else ""))
        yield Table(columns, tuple(rows), "Primary score by round, and on test", ordered=True)


def _value(score: Mapping[str, Any] | None, digits: int) -> tuple[str, str]:
    score = score or {}
    value = number(score.get("value"), digits)
    return value, interval(score.get("low"), score.get("high"), digits)


def _references(document: Document) -> Iterator[Note]:
    """What a reference gets against the others of its row, beside the best round."""
    agreement = document["between_references"]
    if agreement:
        digits = score_digits(document, document["primary"])
        who = f"round {agreement['round']}" if agreement["round"] else "the base model"
        yield Note(
            f"A reference scored against the other references of its row gets "
            f"{span(agreement['references'], digits)} ({agreement['rows']} rows); {who} "
            f"{span(agreement['model'], digits)} against the same ones."
        )


def _remarks(document: Document) -> Iterator[str]:
    yield f"● best round{figures.chosen_mark(document, findings.kept_round(document), ': ')}"
    yield "change: against the best round before it"
    if level := figures.bounds_level(document):
        yield level


def _table(document: Document) -> Table:
    primary = document["primary"]
    digits = score_digits(document, primary)
    columns = (
        Column("round", "word"), Column("verdict", "label"), Column("train rows", "number"),
        Column(score_title(document, primary, 20), "number", strong=True),
        Column("95 % interval", "number"), Column("", "bar", spare=1),
        Column("change", "number"), Column("bounds", "number", spare=2),
    )  # fmt: skip
    rows = []
    for entry in document["rounds"]:
        score, verdict = entry["scores"].get(primary) or {}, entry["verdict"]
        rows.append((
            figures.round_name(entry, document), verdict["label"], _train_rows(entry),
            number(score.get("value"), digits),
            interval(score.get("low"), score.get("high"), digits),
            score.get("value"),
            signed(verdict["difference"], digits),
            interval(verdict["low"], verdict["high"], digits, plus=True),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Rounds: verdict and primary score", ordered=True)


def _chart(document: Document, name: str) -> Iterator[Chart]:
    """One score by round, each point in its interval; the best round is filled."""
    scored = [
        (entry, score) for entry in document["rounds"]
        if (score := entry["scores"].get(name)) and score["value"] is not None
    ]  # fmt: skip
    if not scored:
        return
    points = tuple(
        Point(
            entry["round"], score["value"], score["low"], score["high"],
            strong=entry["round"] == document["kept_round"],
            tip=figures.chosen_mark(document, entry, ""),
        )
        for entry, score in scored
    )  # fmt: skip
    better = "" if scored[0][1]["higher_is_better"] else " (lower is better)"
    title = f"{score_title(document, name, 120)} by round{better}"
    chosen = _chosen_score(document, name)
    yield Chart(
        "rounds", title, (Series("", points),), redundant=True,
        remark=f"● {chosen}" if chosen else "", digits=score_digits(document, name),
    )  # fmt: skip


class ScoresSection(harness.Section):
    """All scores but the primary one; how all were measured."""

    name = "scores"
    title = "Other scores"
    order = 1000
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        names = [name for name in figures.score_names(document) if name != document["primary"]]
        if not figures.score_names(document):
            return
        shown, columns = rounds_of(document)
        last = next((e for e in shown if e["round"] == document["kept_round"]), shown[-1])
        chosen = figures.chosen_mark(document, last, " · ● ")
        yield Heading(self.title, f"by round · interval: of round {last['round']}{chosen}")
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
    document: Document, name: str, shown: list[Document], last: Document
) -> tuple[str | int | tuple[float | None, ...] | None, ...]:
    digits = score_digits(document, name)
    score = last["scores"].get(name) or {}
    return (
        score_title(document, name, 30),
        *(number(_value_of(entry, name), digits) for entry in shown),
        interval(score.get("low"), score.get("high"), digits),
        tuple(_value_of(entry, name) for entry in document["rounds"]),
        score.get("unscored") or 0,
    )


def _measured(document: Document, last: Document) -> Iterator[Note | Table]:
    columns = (
        Column("score"), Column("scored", "number"), Column("not scored", "number"),
        Column("better", "word"), Column("signature"),
    )  # fmt: skip
    rows = []
    for name in figures.score_names(document):
        score = last["scores"].get(name) or {}
        better = "higher" if score.get("higher_is_better", True) else "lower"
        rows.append((
            score_title(document, name, 40), score.get("n"), score.get("unscored") or 0,
            better, score.get("signature", ""),
        ))  # fmt: skip
    yield Table(columns, tuple(rows), "Scores and their signatures")
    yield Note("Compare two numbers only if their signatures are equal.")


class TestSection(harness.Section):
    """The scores on the test set, once it was opened."""

    name = "test"
    title = "Test set"
    order = 900
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        test = document["test"]
        if not test:
            if sealed := document["sealed"]:
                yield Heading(self.title, "not opened")
                yield Paragraph(sealed["sentence"])
            return
        looks = test["looks"]
        times = {None: "evaluated", 1: "evaluated once"}.get(
            looks, f"evaluated {looks} times, over all runs of this folder"
        )
        if later := test.get("later"):
            times += f", and {later} more since"
        yield Heading(self.title, times)
        columns = [Column("score")]
        for side in (terms.shown("key", "baseline"), f"round {document['kept_round']}"):
            columns += [Column(side, "number"), Column("95 % interval", "number")]
        rows = tuple(
            (score_title(document, name, 30), *_sides(document, name))
            for name in figures.score_names(document)
        )
        yield Table(tuple(columns), rows, "Scores on the test set", findings.SHOWN + 1)
        if test["counting"]:
            yield Note(test["counting"])


def _sides(document: Document, name: str) -> Iterator[str]:
    digits = score_digits(document, name)
    for side in ("baseline", "kept"):
        score = document["test"][side].get(name) or {}
        yield number(score.get("value"), digits)
        yield interval(score.get("low"), score.get("high"), digits)


def _chosen_score(document: Document, name: str) -> str:
    """The mark of a score on dev that led to the choice of the round, with its value on test where
    there is one; or nothing."""
    mark = one_line((document.get("chosen") or {}).get("mark") or "", 60)
    score = ((document.get("test") or {}).get("kept") or {}).get(name) or {}
    if not mark or score.get("value") is None:
        return mark
    return f"{mark}; test: {number(score['value'], score_digits(document, name))}"


def _chosen_sentence(document: Document) -> str:
    """What such a mark means."""
    return one_line((document.get("chosen") or {}).get("sentence") or "", 400)


def _value_of(entry: Document, name: str) -> float | None:
    score = entry["scores"].get(name)
    return score["value"] if score else None


def _train_rows(entry: Document) -> str | int | None:
    """Rows of the task, and general ones beside them: ``100``, ``100 + 11 general``."""
    rows: int | None = entry["train_rows"]
    return f"{rows} + {entry['replayed']} general" if entry["replayed"] else rows
