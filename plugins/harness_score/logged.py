"""Scores that another program has given its answers, as metrics beside those that are computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness import DataError, Measurement, Metric, MetricEntry, Scorecard
from harness.kit.text import one_line
from harness_score.tables import Table

NAME = "logged"
"""Among ``--metrics``: the scores in the logs."""


class Logged(Metric):
    """A score in a log, from 0 to 1. Whether more is better a log does not say: it is taken so."""

    name = NAME


class Wide(Logged):
    """A score with other values."""

    bounds = (-math.inf, math.inf)


def entries(tables: Sequence[Table]) -> list[MetricEntry]:
    """A metric for each score that all these files have; it is called ``match-logged``."""
    first, *others = map(_names, tables)
    metrics = []
    common = (name for name in first if all(name in names for names in others))
    for name in common:
        values = [row.scores[name] for table in tables for row in table.rows if name in row.scores]
        kind = Logged if min(values) >= 0 and max(values) <= 1 else Wide
        metrics.append(MetricEntry(name, kind(kind.Options())))
    return metrics


def _names(table: Table) -> list[str]:
    return list(dict.fromkeys(name for row in table.rows for name in row.scores))


def none_in(tables: Sequence[Table]) -> DataError:
    """That there is no such score."""
    details = [f"{table.name}: {', '.join(_names(table)) or 'none'}" for table in tables]
    return DataError(
        "there is no score that all these files hold",
        details=[one_line(line, 200) for line in details],
        hint="--metrics exact,rouge computes scores on their answers",
    )


def with_logged(card: Scorecard, logged: Sequence[MetricEntry], table: Table) -> Scorecard:
    """The same, with the scores of the log first."""
    by_id: Mapping[str | None, Mapping[str, float]] = {row.id: row.scores for row in table.rows}
    measurements = {}
    for entry in logged:
        (score,) = entry.score_names
        measured = []
        for example in card.examples:
            value = by_id[example.id].get(entry.name)
            statistics, values = (None, {}) if value is None else ((value,), {score: value})
            measured.append(Measurement(example.id, entry.name, statistics, values))
        measurements[entry.name] = measured
    return replace(
        card, metrics=[*logged, *card.metrics], measurements={**measurements, **card.measurements}
    )
