"""What several sections choose of the document: the round that is told of, its weak slices.

Where a part of the analysis failed, its table is empty: each choice is then empty, too, and the
reports leave its section out.
"""

from __future__ import annotations

from harness import Analysis
from harness.kit.text import one_line
from harness.records.summary import MainRound, ShownSlice

SHOWN = 5
"""Rows of a table that a reader takes in at a glance."""

WEAK_AT = 0.1
"""False discovery rate up to which a slice is underperforming, where its finder does not say."""


def higher_is_better(document: Analysis) -> bool:
    """Whether the primary score is meant to rise."""
    score = document.best.scores.get(document.primary)
    return score.higher_is_better if score else True


def later_round(document: Analysis) -> MainRound:
    """The round that the base model is shown beside: the best one, or the latest if that is it."""
    return document.best if document.kept_round else document.rounds[-1]


def weak(document: Analysis) -> tuple[int, list[ShownSlice], list[ShownSlice]]:
    """A round, its underperforming slices, and others below the rest that may be chance.

    The widest gap comes first. It is the best round, or the latest with slices where that one
    has none.
    """
    for entry in (document.best, *reversed(document.rounds)):
        below = {piece.slice: piece for piece in entry.slices if gap(piece) > 0}
        if below:
            ordered = sorted(below.values(), key=lambda piece: (-gap(piece), piece.slice))
            held = [piece for piece in ordered if holds(piece)]
            return entry.round, held, [piece for piece in ordered if not holds(piece)]
    return 0, [], []


def gap(piece: ShownSlice) -> float:
    """How far a slice is below the rest; 0 where that is not known."""
    return 0.0 if piece.gap is None else piece.gap


def holds(piece: ShownSlice) -> bool:
    """Whether a slice underperforms by more than chance."""
    if piece.holds is not None:
        return piece.holds
    return piece.q is not None and piece.q <= WEAK_AT


def failed(document: Analysis) -> list[tuple[str, str]]:
    """Sections that could not be made: what each would have shown, and why it is not there."""
    purposes = {query.name: query.what for query in document.queries}
    return [
        (one_line(purposes.get(name, name), 120), one_line(why, 300))
        for name, why in sorted(document.failed.items())
    ]
