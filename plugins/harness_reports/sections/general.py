"""General text beside the task: whether training made the model worse at it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.blocks import Block, Bullets, Column, Heading, Note, Paragraph, Table
from harness.kit.numbers import DASH, interval, number, perplexity, signed
from harness_reports import figures, findings
from harness_reports.figures import Document

TITLE = "General text"
SENTENCES = 3
"""Rounds in words that a short report shows."""


def general(document: Document) -> Iterator[Block]:
    """Loss per token before and after each training, and answers to instructions."""
    rounds = [entry for entry in document["rounds"] if entry["forgetting"]]
    if not rounds:
        return
    texts = rounds[-1]["forgetting"]["texts"]
    yield Heading(TITLE, f"loss per token on {texts} texts that have nothing to do with the task")
    yield _table(document, rounds)
    told = tuple(
        Paragraph(entry["forgetting"]["sentence"], lead=f"Round {entry['round']}:")
        for entry in reversed(rounds)
    )
    yield Bullets(told, short=SENTENCES, rest="of earlier rounds")
    yield Note(
        "Each round's model beside the base model, intervals at 95 %. No result of the task: a "
        "loss says how well text is predicted, not how good answers are. The answers to "
        "instructions are too few for a verdict."
    )


def in_short(document: Document) -> Iterator[Block]:
    """A line, where the best round's model (else the latest's) predicts general text worse."""
    entry = findings.later_round(document)
    found = entry["forgetting"]
    if not found or found["low"] is None or found["low"] <= 0:
        return
    yield Paragraph(
        f"{found['sentence']}{_answers(found)}", lead=f"General text, round {entry['round']}:"
    )


def _answers(found: Document) -> str:
    asked = found["instructions"]
    if not asked["asked"]:
        return ""
    return (
        f" {asked['right_before']} of {asked['asked']} instructions were answered right before, "
        f"{asked['right_after']} after."
    )


def _table(document: Document, rounds: list[Document]) -> Table:
    columns = (
        Column("round", "word"), Column("loss before", "number"), Column("after", "number"),
        Column("difference", "number", strong=True), Column("95 % interval", "number"),
        Column("perplexity", "number", spare=2), Column("instructions right", "word", spare=1),
    )  # fmt: skip
    rows = []
    for entry in rounds:
        found = entry["forgetting"]
        asked = found["instructions"]
        right = f"{asked['right_before']} of {asked['asked']}, then {asked['right_after']}"
        rows.append((
            figures.round_name(entry, document),
            number(found["loss_before"]), number(found["loss_after"]),
            signed(found["difference"]), interval(found["low"], found["high"], plus=True),
            f"{perplexity(found['loss_before'])}, then {perplexity(found['loss_after'])}",
            right if asked["asked"] else DASH,
        ))  # fmt: skip
    return Table(columns, tuple(rows), "General text by round", ordered=True)
