"""Runs the metrics over answers: what cannot be scored is recorded as such, never as 0."""

from harness.scoring.measuring import BLOCK, measure, rare_collections, ready
from harness.scoring.metric_entry import Groups, MetricEntry, Pair, group_names, overrides
from harness.scoring.scorecard import SEED, Scorecard, evaluate
from harness.scoring.totals import right, right_at, scores, table
from harness.scoring.workers import scoring_processes

__all__ = [
    "BLOCK",
    "SEED",
    "Groups",
    "MetricEntry",
    "Pair",
    "Scorecard",
    "evaluate",
    "group_names",
    "measure",
    "overrides",
    "rare_collections",
    "ready",
    "right",
    "right_at",
    "scores",
    "scoring_processes",
    "table",
]
