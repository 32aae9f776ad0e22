"""What was added to the training data, what was refused, and how training went."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness.kit import terms
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
from harness.kit.numbers import interval, number, signed
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.sections.common import incomplete
from harness_reports.targets import came
from harness_reports.terms import in_words


class NearSection(harness.Section):
    """The rows of the source that are nearest to dev or test."""

    name = "near"
    title = "Training rows similar to dev or test"
    order = 1700
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        pairs = findings.near_pairs(document)
        if not pairs:
            return
        yield Heading(self.title, "the most similar pairs")
        yield Note(findings.NEAR)
        items = (
            Paragraph(
                f"{pair.row}: {pair.text}", lead=pair.similarity,
                detail=f"{pair.held_out}: {pair.held_out_text}",
            )
            for pair in pairs
        )  # fmt: skip
        yield Bullets(tuple(items))


class AddedSection(harness.Section):
    """What was planned, added and refused after each round, the latest first."""

    name = "added"
    title = "Training data added"
    order = 1800
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        document = in_words(document)
        grown = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
        notices = list(incomplete(document, "added", "refused"))
        if grown or notices:
            yield Heading(self.title, "and refused, after each round")
        yield from notices
        if grown and not any(_says_more(entry) for entry in grown):
            yield Paragraph(_untargeted(grown, document["rounds"][-1]["round"]))
        elif grown:
            columns = (
                Column("after round", "word"), Column("added", "number"), Column("by"),
                Column("planned"), Column("refused", "number"), Column("why"),
            )  # fmt: skip
            rows = tuple(
                (
                    str(entry["round"]), entry["added"], figures.counted(entry["added_by"]),
                    ", ".join(figures.planned(entry["plan"], came(document, entry))),
                    sum(entry["refused"].values()),
                    figures.counted(entry["refused"]),
                )
                for entry in reversed(grown)
            )  # fmt: skip
            caption, rest = "Training data added and refused", "of earlier rounds"
            yield Table(columns, rows, caption, findings.SHOWN, rest)
        yield from _by_slice(document)


def _says_more(entry: Document) -> bool:
    """Whether rows were planned for a slice, or refused."""
    return bool(entry["refused"]) or any(item["slice"] != "everywhere" for item in entry["plan"])


def _untargeted(grown: list[Document], last: int) -> str:
    counts = ", ".join(
        f"{entry['added']} after round {entry['round']}"
        + (" (which no round was trained on)" if entry["round"] == last else "")
        for entry in grown
    )  # fmt: skip
    source = terms.shown("key", "everywhere")
    return f"All rows were drawn from {source}, and none was refused: {counts}."


def _by_slice(document: Document) -> Iterator[Block]:
    untargeted = terms.shown("key", "everywhere")
    rows = tuple(
        (str(row.get("round")), row.get("made_by"), row.get("slice") or untargeted, row.get("rows"))
        for row in findings.table(document, "added")
    )
    if rows:
        columns = (
            Column("after round", "word"), Column("augmenter"), Column("for the slice"),
            Column("rows", "number"),
        )  # fmt: skip
        summary = "Rows added by round, augmenter and slice"
        yield Details(summary, (Table(columns, rows, summary),))


SAME = "same number of rows in both arms"
CONTRASTS = {
    "random": ("targeted minus random", SAME),
    "real": ("written minus real rows", SAME),
    "none": ("with minus without added rows", "other numbers of rows in the two arms"),
}


class ControlSection(harness.Section):
    """The added rows against what the control arm got in their place."""

    name = "control"
    title = "What the added rows brought"
    order = 1900
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        control = document["control"]
        if not control:
            return
        compared = control["difference"] is not None
        contrast, remark = CONTRASTS[control["instead"]]
        bounds = interval(control["low"], control["high"], plus=True)
        lead = f"{contrast}: {signed(control['difference'])} {bounds}".rstrip()
        yield Heading(self.title, remark if compared else "not compared")
        yield Paragraph(control["sentence"], lead=lead if compared else "")


class TrainingSection(harness.Section):
    """Training and validation loss of each trained round, on one scale, and what they show."""

    name = "training"
    title = "Training loss"
    order = 2000
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        logged = [entry for entry in document["rounds"] if any(figures.losses(entry))]
        if not logged:
            return
        validated = any(figures.losses(entry)[1] for entry in logged)
        about = ", then on the validation rows" if validated else ""
        yield Heading(self.title, f"first to last step{about}")
        values = [value for entry in logged for side in figures.losses(entry) for value in side]
        for entry in logged:
            series = tuple(
                Series(
                    name,
                    tuple(Point(p["step"], p[key]) for p in entry["log"] if p[key] is not None),
                )
                for name, key in (("training loss", "loss"), ("validation loss", "eval_loss"))
            )
            title, scale = f"Loss in round {entry['round']}", (min(values), max(values))
            dots = f"dots: {_validation_rows(entry)}" if figures.losses(entry)[1] else ""
            yield Chart("curve", title, series, scale, redundant=True, remark=dots)
        columns = (
            Column("round", "word"), Column("loss", "word"), Column("", "trend", spare=1),
            *([Column("validation", "word")] if validated else []),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for entry in logged:
            learned, validation = figures.losses(entry)
            name = figures.round_name(entry, document)
            measured = f"{_ends(validation)} ({_validation_rows(entry)})" if validation else ""
            rows.append((name, _ends(learned), tuple(learned), measured)[: len(columns)])
        caption = "Training and validation loss" if validated else "Training loss"
        yield Table(columns, tuple(rows), caption, ordered=True)
        if len({_validation_rows(entry) for entry in logged if figures.losses(entry)[1]}) > 1:
            yield Note(UNLIKE)
        sentences = tuple(
            Paragraph(
                entry["course"]["sentence"],
                lead=f"Round {entry['round']}:", detail=entry["course"]["advice"],
            )
            for entry in reversed(logged)
            if entry["course"]
        )  # fmt: skip
        if sentences:
            yield Bullets(sentences)


UNLIKE = (
    "The rounds measured other validation rows, so their validation losses begin at other values "
    "for the same base model. Compare each with its own beginning."
)


def _validation_rows(entry: Document) -> str:
    """``3 of 10 validation rows``: those that were measured all along, as far as it is known."""
    course = entry["course"] or {}
    rows, of = course.get("valid_rows"), course.get("valid_of")
    if not rows:
        return "the validation rows"
    return f"{rows} of {of} validation rows" if of and of != rows else f"{rows} validation rows"


def _ends(values: list[float]) -> str:
    if len(values) < 2:
        return number(values[0]) if values else ""
    return f"{number(values[0])} → {number(values[-1])}"
