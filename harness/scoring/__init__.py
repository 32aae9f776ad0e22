"""Runs the metrics over answers: what cannot be scored is recorded as such, never as 0."""

from harness.scoring.entry import Entry, Groups, Pair
from harness.scoring.measuring import BLOCK, measure, rare_collections
from harness.scoring.totals import right, scores, table

__all__ = [
    "BLOCK",
    "Entry",
    "Groups",
    "Pair",
    "measure",
    "rare_collections",
    "right",
    "scores",
    "table",
]
