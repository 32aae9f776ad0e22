"""What several sections choose of the document: the round that is told of, its weak slices.

Where a part of the analysis failed, its table is empty: each choice is then empty, too, and the
reports leave its section out.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness import Analysis
from harness.kit.text import one_line
from harness.records.summary import MainRound, ShownSlice

SHOWN = 5
"""Rows of a table that a reader takes in at a glance."""

WEAK_AT = 0.1
"""False discovery rate up to which a slice is underperforming, where its finder does not say."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A slice that is below the rest, as it was found or, where that is not told, as it was planned
    for.

    Attributes:
        slice, n, groups, score, gap, low, high, q: as of :class:`harness.ShownSlice`.
        holds: whether it underperforms by more than chance; one that rows are planned for does.
        from_prompt: whether rows can be planned for it.
    """

    slice: str
    n: int | None
    groups: int | None
    score: float | None
    gap: float
    low: float | None
    high: float | None
    q: float | None
    holds: bool
    from_prompt: bool


def higher_is_better(document: Analysis) -> bool:
    """Whether the primary score is meant to rise."""
    score = document.best.scores.get(document.primary)
    return score.higher_is_better if score else True


def later_round(document: Analysis) -> MainRound:
    """The round that the base model is shown beside: the best one, or the latest if that is it."""
    return document.best if document.kept_round else document.rounds[-1]


def weak(document: Analysis) -> tuple[int, list[Piece], list[Piece]]:
    """A round, its underperforming slices, and others below the rest that may be chance.

    The widest gap comes first. It is the best round, or the latest with slices where that one
    has none.
    """
    for entry in (document.best, *reversed(document.rounds)):
        if pieces := {piece.slice: piece for piece in _below_the_rest(entry)}:
            ordered = sorted(pieces.values(), key=lambda piece: (-piece.gap, piece.slice))
            held = [piece for piece in ordered if piece.holds]
            return entry.round, held, [piece for piece in ordered if not piece.holds]
    return 0, [], []


def _below_the_rest(entry: MainRound) -> list[Piece]:
    if entry.slices:
        return [
            Piece(
                s.slice, s.n, s.groups, s.score, s.gap, s.low, s.high, s.q, holds(s), s.from_prompt
            )
            for s in entry.slices
            if s.gap is not None and s.gap > 0
        ]
    return [
        Piece(p.slice, p.n, None, None, p.gap, p.low, p.high, None, True, True)
        for p in entry.plan
        if p.gap is not None and p.gap > 0
    ]


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
