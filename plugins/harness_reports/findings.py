"""What several sections choose of the document: the round that is told of, its weak slices.

Where a part of the analysis failed, keys are missing: each choice is then empty, and the reports
leave its section out.
"""

from __future__ import annotations

from harness.kit.text import one_line
from harness_reports.figures import Document

SHOWN = 5
"""Rows of a table that a reader takes in at a glance."""

WEAK_AT = 0.1
"""False discovery rate up to which a slice is underperforming, where its finder does not say."""


def table(document: Document, name: str) -> list[Document]:
    """The rows of one table of the analysis, or none."""
    return list((document.get("tables") or {}).get(name) or ())


def kept_round(document: Document) -> Document:
    """The best round: its model is the run's result."""
    rounds = document["rounds"]
    return next((r for r in rounds if r["round"] == document["kept_round"]), rounds[-1])


def higher_is_better(document: Document) -> bool:
    """Whether the primary score is meant to rise."""
    score = kept_round(document)["scores"].get(document["primary"]) or {}
    return bool(score.get("higher_is_better", True))


def later_round(document: Document) -> Document:
    """The round that the base model is shown beside: the best one, or the latest if that is it."""
    best = kept_round(document)
    return best if best["round"] else document["rounds"][-1]


def weak(document: Document) -> tuple[int, list[Document], list[Document]]:
    """A round, its underperforming slices, and others below the rest that may be chance.

    The widest gap comes first. It is the best round, or the latest with slices where that one
    has none.
    """
    for entry in (kept_round(document), *reversed(document["rounds"])):
        slices = {s["slice"]: s for s in entry["slices"] or entry["plan"] if (s["gap"] or 0) > 0}
        if slices:
            ordered = sorted(slices.values(), key=lambda s: (-s["gap"], s["slice"]))
            held = [piece for piece in ordered if holds(piece)]
            return entry["round"], held, [piece for piece in ordered if not holds(piece)]
    return 0, [], []


def holds(piece: Document) -> bool:
    """Whether a slice underperforms by more than chance; one that rows are planned for does."""
    if piece.get("holds") is not None:
        return bool(piece["holds"])
    if "q" in piece:
        return piece["q"] is not None and piece["q"] <= WEAK_AT
    return "rows" in piece


def failed(document: Document) -> list[tuple[str, str]]:
    """Sections that could not be made: what each would have shown, and why it is not there."""
    purposes = {query["name"]: query["what"] for query in document.get("queries") or ()}
    return [
        (one_line(purposes.get(name, name), 120), one_line(why, 300))
        for name, why in sorted((document.get("failed") or {}).items())
    ]
